import { BSON } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { toStoredEntry } from '../support/stored-entry.js'
import { golden, storedEntriesOf } from './golden-files.js'
import { erasedKey, firstEvents, laterEvents, now } from './inputs.js'

const stored = storedEntriesOf(golden('v1', 'export.jsonl'))
const collection = 'power_consumption_ledger'

/** What is chance, and what follows from it. */
type Random = '_id' | 'personalCommitment' | 'erases' | 'previousHash' | 'hash' | 'idempotencyKey'

function withRandomOf(other: LedgerEntry, entry: LedgerEntry): LedgerEntry {
  const { _id, personalCommitment, erases, previousHash, hash, idempotencyKey } = other
  const random: Pick<LedgerEntry, Random> = { _id, personalCommitment, erases, previousHash, hash, idempotencyKey }
  // An erasure is named after the hash of what it erases.
  return { ...entry, ...random, idempotencyKey: erases === undefined ? entry.idempotencyKey : idempotencyKey }
}

describe('the golden entries and the database', () => {
  it('come back from MongoDB in the bytes that were hashed', async () => {
    const { db } = setUpDatabase()
    const entries = stored.map((bytes) => BSON.deserialize(bytes) as LedgerEntry)
    await db.collection(collection).insertMany(entries.map(toStoredEntry), { ignoreUndefined: true })
    const raw = (await db.collection(collection).find({}, { raw: true }).toArray()) as unknown as Buffer[]
    expect(raw.map((bytes) => Buffer.from(bytes))).toEqual(stored)
  })

  it('are what the writer makes of the same events today, apart from ids and salts', async () => {
    const database = setUpDatabase()
    const volt = await openVolt(database, { clock: { now: () => now } })
    await volt.setup()
    await volt.ledger.append(firstEvents)
    const appended = await volt.ledger.append(laterEvents)
    const erased = appended.find(({ entry }) => entry.idempotencyKey === erasedKey)
    await volt.ledger.erasePersonalData(erased?.entry._id ?? '')
    for (const bytes of stored) {
      const before = BSON.deserialize(bytes) as LedgerEntry
      const { switchId, sequence } = before
      const today = (await database.db.collection(collection).findOne({ switchId, sequence })) as LedgerEntry | null
      const asBefore = withRandomOf(before, today as LedgerEntry)
      expect(Buffer.from(BSON.serialize(toStoredEntry(asBefore), { ignoreUndefined: true }))).toEqual(bytes)
    }
    expect(await database.db.collection(collection).countDocuments()).toBe(stored.length)
  })
})
