import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { BSON, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { EntryStore } from '../../../src/ledger/append/entry-store.js'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { entryBytes } from '../../../src/ledger/entry/entry-bytes.js'
import { generateHash } from '../../../src/ledger/entry/hash.js'
import { seal } from '../../../src/ledger/entry/seal.js'
import { entryFault } from '../../../src/ledger/entry/strict-entry.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { hex, withHash } from '../support/chains.js'
import { ledgerEntries } from '../support/entries.js'
import { toStoredEntry } from '../support/stored-entry.js'

const database = setUpDatabase()
const collection = 'power_consumption_ledger'
let store: EntryStore

beforeAll(async () => {
  const volt = await openVolt(database)
  await volt.setup()
  store = new EntryStore(volt.database, collection)
})

/** Several at a time: a property that writes to a database is slow. */
const batches = fc
  .array(ledgerEntries, { minLength: 1, maxLength: 20 })
  .map((entries) =>
    entries.map((entry, at) => ({ ...entry, _id: numbered(entry._id, at), switchId: numbered(entry.switchId, at) })),
  )

/** The id with another last byte, so that no two of a batch are the same. */
function numbered({ id }: ObjectId, at: number): ObjectId {
  return new ObjectId(Buffer.concat([id.subarray(0, 11), Buffer.of(at)]))
}

async function write(entries: readonly LedgerEntry[]): Promise<void> {
  await database.db.collection(collection).deleteMany({})
  await store.insert(
    entries.map((entry) => seal({ ...entry })),
    undefined,
  )
}

async function writeAndRead(entries: readonly LedgerEntry[]): Promise<Buffer[]> {
  await write(entries)
  const ids = entries.map(({ _id }) => _id)
  const cursor = database.db.collection(collection).find({ _id: { $in: ids } }, { raw: true })
  const raw = (await cursor.toArray()) as unknown as Buffer[]
  const byId = new Map(raw.map((bytes) => [bytes.toString('hex', 9, 21), Buffer.from(bytes)]))
  return ids.map((id) => byId.get(id.toHexString()) ?? Buffer.alloc(0))
}

function faultOf(stored: Buffer): string | undefined {
  return entryFault({ buffer: stored, start: 0, length: stored.length })
}

/** The stored bytes without their last field, which is the hash: 1 for the type, 5 the name, 4 the length, 1 the subtype, 32 the hash. */
function withoutHash(stored: Buffer): Buffer {
  const body = Buffer.concat([stored.subarray(0, stored.length - 44), Buffer.of(0)])
  body.writeInt32LE(body.length, 0)
  return body
}

describe('the bytes of an entry', () => {
  it('are, after MongoDB has stored and read them, those that were hashed', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (generated) => {
        const entries = generated.map((entry) => withHash(entry))
        const stored = await writeAndRead(entries)
        for (const [at, entry] of entries.entries()) {
          expect(faultOf(stored[at]!)).toBeUndefined()
          const body = withoutHash(stored[at]!)
          expect(body).toEqual(Buffer.from(entryBytes(new Uint8Array(), entry)))
          const hash = createHash('sha256').update('\x00autovolt-ledger-entry\n', 'latin1').update(body).digest('hex')
          expect(hash).toBe(hex(entry.hash))
        }
      }),
      { numRuns: runs(25) },
    )
  })

  it('have the same hash when the entry is read as an object, as hosts read it', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (generated) => {
        const entries = generated.map((entry) => withHash(entry))
        await write(entries)
        for (const { _id, hash } of entries) {
          const read = (await database.db.collection(collection).findOne({ _id })) as LedgerEntry | null
          expect(generateHash(read as LedgerEntry)).toBe(hex(hash))
        }
      }),
      { numRuns: runs(8) },
    )
  })

  it('are those that the driver serializes', () => {
    fc.assert(
      fc.property(ledgerEntries, (generated) => {
        const entry = withHash(generated)
        const serialized = Buffer.from(BSON.serialize(toStoredEntry(entry), { ignoreUndefined: true }))
        expect(faultOf(serialized)).toBeUndefined()
        expect(withoutHash(serialized)).toEqual(Buffer.from(entryBytes(new Uint8Array(), entry)))
      }),
      { numRuns: runs(500) },
    )
  })
})

describe('generateHash', () => {
  it('changes with every field', () => {
    fc.assert(
      fc.property(ledgerEntries, ledgerEntries, (entry, other) => {
        const before = generateHash(entry)
        for (const name of Object.keys(entry) as (keyof LedgerEntry)[]) {
          if (name === 'hash') continue
          const changed = { ...entry, [name]: other[name] } as LedgerEntry
          const isSame = Buffer.compare(bytesOf(changed), bytesOf(entry)) === 0
          expect(generateHash(changed) === before).toBe(isSame)
        }
      }),
    )
  })

  it('tells 0 from -0, and an absent field from one that is zero or empty', () => {
    fc.assert(
      fc.property(ledgerEntries, (entry) => {
        const readings = [undefined, {}, { powerW: 0 }, { powerW: -0 }, { energyWh: 0 }]
        const hashes = readings.map((reading) => generateHash({ ...entry, reading } as LedgerEntry))
        expect(new Set(hashes).size).toBe(readings.length)
      }),
    )
  })

  it('says nothing of the hash that the entry carries', () => {
    fc.assert(
      fc.property(ledgerEntries, (entry) => {
        expect(generateHash({ ...entry, hash: entry.previousHash } as LedgerEntry)).toBe(generateHash(entry))
      }),
    )
  })
})

/** The stored form of the entry, as another library than ours writes it. */
function bytesOf(entry: LedgerEntry): Uint8Array {
  return BSON.serialize(toStoredEntry(entry), { ignoreUndefined: true })
}
