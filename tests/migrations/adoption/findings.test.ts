import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { FindingStore } from '../../../src/migrations/adoption/findings.js'
import { Origin, OriginDatabase } from '../../../src/migrations/adoption/origin.js'
import { migrationsEntities } from '../../../src/migrations/domain.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

it('a document that is found something about in several batches is kept once, with every reason', async () => {
  const { database } = await openVolt(testDatabase())
  const { adoptionRejects: rejects, adoptionExtras: extras, adoptionDays: days } = migrationsEntities
  const origin = new Origin(new OriginDatabase(database, 'school_old', new Set()), {
    system: 'autovolt',
    collections: {},
  })
  const store = new FindingStore(database, { rejects, extras, days }, origin)
  const document = { _id: 'log-1', action: 'on' }
  const find = async (kind: 'left' | 'noted', reason: string, collection = 'activitylogs') => {
    store.add({ kind, collection, document, reason })
    await store.flush(1)
  }
  await find('left', 'of a device that is not there')
  await find('noted', 'the room is not there', 'devices')
  await find('noted', 'on while it was on')
  await find('noted', 'on while it was on')
  await store.end()
  const kept = await database.native.collection('adoption_rejects').find().sort({ originCollection: 1 }).toArray()
  expect(kept.map(({ originCollection, kind, reason }) => [originCollection, kind, reason])).toEqual([
    ['activitylogs', 'left', 'of a device that is not there; on while it was on'],
    ['devices', 'noted', 'the room is not there'],
  ])

  // A later run says what it finds, and no more.
  await sleep(5)
  const later = new FindingStore(database, { rejects, extras, days }, origin)
  later.add({ kind: 'noted', collection: 'activitylogs', document, reason: 'on while it was on' })
  await later.end()
  const now = await database.native.collection('adoption_rejects').find({ originCollection: 'activitylogs' }).toArray()
  expect(now.map(({ kind, reason }) => [kind, reason])).toEqual([['noted', 'on while it was on']])
})
