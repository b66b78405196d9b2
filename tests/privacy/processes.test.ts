import { type Document, ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { catalogues } from '../entities/catalogues.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'
import { adaFields, marksInDatabase } from './support/ada.js'

const documents = 6_000
const mostKills = full ? 12 : 4

it('processes that are killed at any line erase a person once, wholly, and count each document', async () => {
  const database = testDatabase()
  const volt = await openVolt(database)
  await volt.setup()
  const { _id: ada } = await volt.users.create(adaFields)
  const many = (good: () => Document, name: (n: number) => Document) =>
    Array.from({ length: documents }, (_, n) => ({ ...good(), _id: new ObjectId(), ...name(n) }))
  const planted = {
    notifications: many(catalogues.notifications.good, (n) => ({ user: ada, deduplicationKey: `a ${n}` })),
    market_transactions: many(catalogues.marketTransactions.good, () => ({
      from: ada,
      key: String(new ObjectId()),
      chainHash: '',
    })),
    device_logs: many(catalogues.deviceLogs.good, (n) => ({
      device: new ObjectId(),
      key: `b ${n}`,
      message: `reset by ${adaFields.name}`,
    })),
  }
  for (const [name, many] of Object.entries(planted))
    await database.db.collection(name).insertMany(many, { bypassDocumentValidation: true })
  const env = { MONGODB_URI: database.uri, MONGODB_DB_NAME: database.dbName, PERSON: String(ada) }
  const start = () => startChild(new URL('./erasing-child.ts', import.meta.url), { env })
  const erasure = () => database.db.collection('privacy_erasures').findOne({})
  const countOf = (found: Document | null) =>
    ((found?.collections ?? []) as Document[]).reduce((sum, { deleted, anonymised }) => sum + deleted + anonymised, 0)
  let kills = 0
  for (; kills < mostKills && (await erasure())?.state !== 'done'; kills += 1) {
    const children = [start(), start()]
    const before = countOf(await erasure())
    const hasGoneOn = async () => {
      const found = await erasure()
      return found?.state === 'done' || countOf(found) > before
    }
    await eventually('something is erased', hasGoneOn, { everyMs: 3, timeoutMs: 120_000 })
    await Promise.all(children.map((child) => child.kill()))
    // The lease of one that was killed ends by itself; here it is given up.
    await database.db.collection('leases').deleteMany({})
  }
  expect(kills).toBeGreaterThan(3)
  const reports = (await erasure())?.state === 'done' ? [] : await volt.privacy.resume()
  expect(reports.every(({ state }) => state === 'done')).toBe(true)
  const by = new Map((((await erasure()) as Document).collections as Document[]).map((one) => [one.collection, one]))
  expect(by.get('notifications')).toMatchObject({ deleted: documents, anonymised: 0 })
  expect(by.get('market_transactions')).toMatchObject({ deleted: 0, anonymised: documents })
  expect(by.get('device_logs')).toMatchObject({ deleted: 0, anonymised: documents })
  expect(by.get('users')).toMatchObject({ deleted: 1 })
  expect(await marksInDatabase(ada, database.db)).toEqual([])
  // One pseudonym in all collections, whichever process wrote it.
  expect(await database.db.collection('market_transactions').distinct('from')).toHaveLength(1)
}, 300_000)
