import { Binary, BSON, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import type { ExportHeader } from '../../../src/ledger/export/export-format.js'
import { signTreeHead } from '../../../src/ledger/log/checkpoint-text.js'
import { MerkleFrontier } from '../../../src/ledger/log/merkle-tree.js'
import { SignerKey } from '../../../src/ledger/log/signed-note.js'
import { withHash } from '../support/chains.js'
import { signedFile } from '../support/signed-file.js'
import { toStoredEntry } from '../support/stored-entry.js'
import { testLogKeys } from '../support/test-keys.js'

export const origin = 'vectors.example/energy'
export const keys = testLogKeys(origin, Buffer.alloc(32, 0x11))
export const otherKeys = testLogKeys(origin, Buffer.alloc(32, 0x12))
export const signer = SignerKey.parse(keys.signerKey)

const id = (digit: string) => ObjectId.createFromHexString(digit.repeat(24))

/** A reading in a chain of its own, which is the same whenever it is made. */
export function anEntry(fields: Partial<LedgerEntry> = {}): LedgerEntry {
  return withHash({
    _id: id('a'),
    formatVersion: 1,
    switchId: id('1'),
    sequence: 1,
    deviceId: id('d'),
    classroom: id('c'),
    timestamp: new Date('2026-03-01T10:00:00Z'),
    receivedAt: new Date('2026-03-01T10:00:01Z'),
    eventType: 'power_reading',
    powerState: true,
    powerRating: 75,
    energySource: 'power',
    reading: { powerW: 73.5 },
    gapLimitMs: 300_000,
    ratePerKwh: 7.5,
    flags: ['placed'],
    metadata: { source: 'mqtt' },
    idempotencyKey: 'reading 1',
    cumulativeEnergy: 0,
    cumulativeProduction: 0,
    calculatedCost: 0,
    previousHash: new Binary(Buffer.alloc(32)),
    ...fields,
  })
}

/** The entry after another one in its chain. */
export function nextEntry(before: LedgerEntry, fields: Partial<LedgerEntry> = {}): LedgerEntry {
  const sequence = before.sequence + 1
  const idempotencyKey = `reading ${sequence}`
  return anEntry({ sequence, previousHash: before.hash, flags: [], idempotencyKey, ...fields })
}

export function storedBytesOf(entry: LedgerEntry): Buffer {
  return Buffer.from(BSON.serialize(toStoredEntry(entry), { ignoreUndefined: true }))
}

export const jsonLine = (value: unknown) => `${JSON.stringify(value)}\n`
export const entryLine = (bytes: Uint8Array) => jsonLine({ entry: Buffer.from(bytes).toString('base64') })

/** The hash that stored bytes carry. */
export const carried = (bytes: Buffer) => bytes.subarray(-33, -1)

/** A checkpoint of these leaves, after those of a frontier. */
export function checkpointOf(leaves: readonly Buffer[], from = new MerkleFrontier(), signers = [signer]): string {
  const frontier = new MerkleFrontier(from.size, from.roots)
  for (const leaf of leaves) frontier.append(leaf)
  return signTreeHead({ origin, size: frontier.size, rootHash: frontier.root() }, signers)
}

export interface FileParts {
  readonly header: ExportHeader
  readonly lines: readonly string[]
}

/** A file of entries with one checkpoint at its end, whatever the entries are. */
export function fileOf(entries: readonly Buffer[], from = new MerkleFrontier()): FileParts {
  const frontier = from.roots.map((root) => root.toString('base64'))
  const header = {
    format: 'autovolt-ledger-export/1',
    origin,
    fromSize: from.size,
    frontier,
    size: from.size + entries.length,
  }
  const checkpoint = checkpointOf(entries.map(carried), from)
  return { header, lines: [jsonLine({ header }), ...entries.map(entryLine), jsonLine({ checkpoint })] }
}

/** Closed by a digest that fits, whatever the lines are. */
export function signed({ header, lines }: FileParts, signerKeys = [keys.signerKey]): string {
  return signedFile(lines, { header, signerKeys })
}
