import { describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../support/database.js'
import { hasLegacyDocuments, legacyDocuments } from '../../support/legacy-documents.js'
import { openVolt } from '../../support/volt.js'

const ofOurNames = [
  'users',
  'classrooms',
  'devices',
  'cost_versions',
  'telemetry_events',
  'daily_aggregates',
  'monthly_aggregates',
  'device_consumption_ledger',
  'notifications',
]

/** A database as a host has it from before the library, with the indexes that its models have made. */
async function legacyDatabase(): Promise<TestDatabase> {
  const own = testDatabase()
  for (const name of ofOurNames) await own.db.collection(name).insertMany(legacyDocuments(name))
  const { db } = own
  await db.collection('users').createIndex({ email: 1 }, { unique: true })
  await db.collection('classrooms').createIndex({ name: 1 }, { unique: true })
  await db
    .collection('devices')
    .createIndexes([
      { key: { macAddress: 1 }, unique: true },
      { key: { ipAddress: 1 }, unique: true },
      { key: { name: 'text', location: 'text', classroom: 'text' } },
      { key: { classroom: 1 } },
      { key: { lastSeen: -1 } },
    ])
  await db.collection('telemetry_events').createIndex({ received_at: 1 }, { expireAfterSeconds: 63_072_000 })
  return own
}

describe.skipIf(!hasLegacyDocuments)('a database of a host from before the library (../shared/data/legacy)', () => {
  it('is left as it is, and all that is in the way is named at once', async () => {
    const own = await legacyDatabase()
    const volt = await openVolt(own)
    const { obstacles } = await volt.setup({ dryRun: true })
    const found = obstacles.map(({ collection, kind }) => `${collection} ${kind}`)
    expect(found).toEqual(
      expect.arrayContaining([
        'users documents',
        'classrooms documents',
        'devices documents',
        'devices index',
        'cost_versions documents',
        'telemetry_events collection',
        'daily_aggregates documents',
        'monthly_aggregates documents',
        'notifications documents',
      ]),
    )
    // Those of consumption may stay as they are.
    expect(found.join()).not.toMatch(/device_consumption_ledger|power_consumption/)
    expect(obstacles.find(({ kind }) => kind === 'index')?.problem).toContain('"ipAddress_1"')
    expect(JSON.stringify(obstacles)).not.toMatch(/example\.org|invented-secret|\$2a/)
    await expect(volt.setup()).rejects.toMatchObject({ code: 'SETUP_BLOCKED', obstacles })
    const names = (await own.db.listCollections().toArray()).map(({ name }) => name).sort()
    expect(names).toEqual([...ofOurNames].sort())
    expect((await own.db.collection('devices').indexes()).map(({ name }) => name)).toContain('ipAddress_1')
  })

  it('takes the library beside it under other names', async () => {
    const own = await legacyDatabase()
    const keys = [
      'users',
      'classrooms',
      'devices',
      'costVersions',
      'telemetry',
      'dailyAggregates',
      'monthlyAggregates',
      'notifications',
    ]
    const collections = Object.fromEntries(keys.map((key) => [key, `volt_${key}`]))
    const volt = await openVolt(own, { collections })
    await volt.setup()
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true, obstacles: [] })
    for (const name of ofOurNames) {
      expect(await own.db.collection(name).find({}, { promoteValues: false }).toArray()).toEqual(legacyDocuments(name))
    }
  })
})
