import {
  type ConsistencyProof,
  generateHash,
  type InclusionProof,
  type LedgerEntry,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from '@autovolt/data/ledger'
import { BSON } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { parseNote } from '../../../src/ledger/log/signed-note.js'
import { WitnessKey } from '../../../src/ledger/log/witness-key.js'
import { toStoredEntry } from '../support/stored-entry.js'
import { golden, storedEntriesOf } from './golden-files.js'
import { firstKeys, secondKeys, witnessVerifierKey } from './inputs.js'

const read = (name: string) => golden('v1', name)
const verifierKeys = read('keys.txt').trim().split('\n')
const stored = storedEntriesOf(read('export.jsonl'))
const decoded = stored.map((bytes) => BSON.deserialize(bytes) as LedgerEntry)
const inclusions = JSON.parse(read('inclusion.json')) as InclusionProof[]
const consistency = JSON.parse(read('consistency.json')) as ConsistencyProof
const verifyFile = (name: string, options: { verifierKeys?: string[]; knownCheckpoint?: string } = {}) =>
  verifyExport(
    async function* () {
      yield Buffer.from(read(name))
    },
    { verifierKeys, ...options },
  )

const everyField = [
  ...['_id', 'formatVersion', 'switchId', 'sequence', 'deviceId', 'classroom', 'timestamp', 'receivedAt', 'eventType'],
  ...['powerState', 'powerRating', 'energySource', 'erases', 'gapLimitMs', 'silentSince', 'ratePerKwh', 'flags'],
  ...['reading.powerW', 'reading.energyWh', 'reading.counterQuantumWh', 'reading.counterWidthWh'],
  ...['reading.maximumPower', 'adjustment.energyWs', 'adjustment.productionWs', 'adjustment.cost'],
  ...['metadata.source', 'metadata.firmwareVersion', 'metadata.voltage', 'metadata.current', 'metadata.powerFactor'],
  ...['metadata.temperature', 'metadata.bootId', 'metadata.deviceSequence', 'metadata.originalRecordId'],
  ...['personalCommitment', 'idempotencyKey', 'cumulativeEnergy', 'cumulativeProduction', 'calculatedCost'],
  ...['previousHash', 'hash'],
].sort()

/** The names of the fields, those of documents inside with the name of these before them. */
function pathsOf(document: object): string[] {
  return Object.entries(document).flatMap(([name, value]) =>
    ['reading', 'adjustment', 'metadata'].includes(name)
      ? Object.keys(value as object).map((inner) => `${name}.${inner}`)
      : [name],
  )
}

// These files stay as they are for ever: whatever has been exported once can be verified by every later version.
describe('the golden ledger of version 1', () => {
  it('verifies as a whole, by the keys that its log began with', async () => {
    const report = await verifyFile('export.jsonl', { verifierKeys: [firstKeys.verifierKey] })
    expect(report).toMatchObject({ valid: true, findings: [], entries: 11, chains: 3, coveredEntries: 11 })
  })

  it('goes on from its first checkpoint', async () => {
    const report = await verifyFile('export.jsonl', { knownCheckpoint: read('first-checkpoint.txt') })
    expect(report).toMatchObject({ valid: true, findings: [], caveats: [] })
  })

  it('verifies in two parts, an archive and what came after', async () => {
    expect(await verifyFile('archive.jsonl')).toMatchObject({ valid: true, entries: 3, archivedEntries: 0 })
    expect(await verifyFile('after-archive.jsonl')).toMatchObject({ valid: true, entries: 8, archivedEntries: 3 })
  })

  it('has the same hashes as ever', () => {
    expect(decoded.map(generateHash)).toEqual(decoded.map(({ hash }) => hash.toString('hex')))
  })

  it('has the same bytes as ever when its entries are written again', () => {
    const written = decoded.map((entry) => Buffer.from(BSON.serialize(toStoredEntry(entry), { ignoreUndefined: true })))
    expect(written).toEqual(stored)
  })

  it('has an inclusion proof for each entry', () => {
    expect(inclusions).toHaveLength(stored.length)
    expect(inclusions.map((proof) => verifyInclusion(proof, verifierKeys))).toEqual(stored.map(() => ({ valid: true })))
    expect(new Set(inclusions.map(({ leafIndex }) => leafIndex)).size).toBe(stored.length)
    for (const { entry, leafIndex } of inclusions) expect(entry).toBe(stored[leafIndex]?.toString('base64'))
  })

  it('has a consistency proof between its checkpoints', () => {
    expect(consistency.from).toBe(read('first-checkpoint.txt'))
    expect(consistency.to).toBe(read('last-checkpoint.txt'))
    expect(verifyConsistency(consistency, verifierKeys)).toEqual({ valid: true })
  })

  it('has a last checkpoint that either of its keys verifies, and that a witness has signed', () => {
    const note = read('last-checkpoint.txt')
    for (const key of [firstKeys, secondKeys])
      expect(verifyConsistency({ ...consistency, from: note, hashes: [] }, [key.verifierKey])).toEqual({ valid: true })
    const { text, signatures } = parseNote(note)
    const witness = WitnessKey.parse(witnessVerifierKey)
    expect(signatures.map((signature) => witness.verifies(text, signature))).toEqual([false, false, true])
  })

  it('has every field that an entry can have', () => {
    const fields = new Set(decoded.flatMap((entry) => pathsOf(entry)))
    expect([...fields].sort()).toEqual(everyField)
    expect(new Set(decoded.map(({ eventType }) => eventType)).size).toBe(5)
  })
})
