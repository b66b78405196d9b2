import { ObjectId } from 'mongodb'
import { expect } from 'vitest'
import type { TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { shippedIds } from '../support/migrating.js'

const deviceCount = 5
const recordsPerDevice = 40
const hourMs = 3_600_000
const startMs = Date.parse('2025-01-01T00:00:00Z')

/** Documents that each of the package's own migrations has something to do with. */
export async function makeOldShape({ db }: TestDatabase): Promise<void> {
  const room = new ObjectId()
  const devices = Array.from({ length: deviceCount }, (_, n) => ({
    _id: new ObjectId(),
    name: `Relays ${n}`,
    classroom: room,
    switches: [{ _id: new ObjectId(), name: 'Lights', gpio: 16, type: 'Light', powerRating: 100 }],
  }))
  await db.collection('devices').insertMany(devices)
  const records = devices.flatMap(({ _id: deviceId, switches: [only] }) =>
    Array.from({ length: recordsPerDevice }, (_, n) => ({
      deviceId,
      switchId: only?._id,
      classroom: room,
      startTime: new Date(startMs + 2 * n * hourMs),
      endTime: new Date(startMs + (2 * n + 1) * hourMs),
      duration: hourMs,
      powerRating: 100,
      energyConsumed: 100,
      cost: 0.75,
      ratePerKwh: 7.5,
    })),
  )
  await db.collection('power_consumption').insertMany(records)
  const prices = { electricityPrice: 7.5, currency: '₹', deviceTypes: [] }
  await db.collection('powersettings').insertOne({ singleton: 'power_settings', ...prices, ...stamps() })
  await db.collection('cases').insertMany([{ title: 'one' }, { title: 'two', priority: 'low' }])
  await db.collection('alerts').insertMany([{ level: 'low' }, { severity: 'high' }])
  const user = { userType: 'consumer', status: 'active', deletedAt: null, ...stamps() }
  await db.collection('users').insertMany([
    { email: 'asha@example.org', name: 'Asha', ...user, settings: { theme: 'dark', dateFormat: 'DD.MM.YYYY' } },
    { email: 'ravi@example.org', name: 'Ravi', ...user },
  ])
}

/** Everything is as it is after each of them has run once. */
export async function expectOldShapeMigrated(database: TestDatabase): Promise<void> {
  const { db } = database
  const found = await db.collection('devices').find().toArray()
  expect(found.map(({ energyRole, switches }) => [energyRole, switches[0].type, switches[0].energySource])).toEqual(
    Array.from({ length: deviceCount }, () => ['consumption', 'light', 'rated']),
  )
  expect(await db.collection('power_settings').find().toArray()).toMatchObject([{ currency: 'INR', version: 1 }])
  const priorities = await db.collection('cases').find().sort({ title: 1 }).toArray()
  expect(priorities.map(({ priority }) => priority)).toEqual(['medium', 'low'])
  const alerts = await db.collection('alerts').find().sort({ severity: 1 }).toArray()
  expect(alerts.map(({ severity, level }) => [severity, level])).toEqual([
    ['high', undefined],
    ['low', undefined],
  ])
  const volt = await openVolt(database)
  expect(await volt.ledger.count({})).toBe(2 * deviceCount * recordsPerDevice)
  for (const { _id, switches } of found) {
    const switchId = switches[0]._id
    expect(await volt.ledger.verifyChainIntegrity(_id, switchId)).toMatchObject({ valid: true })
    const [head] = await volt.ledger.find({ switchId }, { sort: { sequence: -1 }, limit: 1 })
    expect(head?.cumulativeEnergy).toBe(recordsPerDevice * 360_000)
  }
  const preferences = await db.collection('user_preferences').find().sort({ theme: -1 }).toArray()
  expect(preferences.map(({ theme, other }) => [theme, other])).toEqual([
    ['dark', { dateFormat: 'DD.MM.YYYY' }],
    [undefined, undefined],
  ])
  expect(await db.collection('users').countDocuments({ settings: { $exists: true } })).toBe(0)
  // Five devices for their kinds, their roles and what they have had since there are types, a case, an alert, the settings, a user and two preferences.
  expect(await db.collection('migration_changes').countDocuments()).toBe(3 * deviceCount + 6)
  const done = await db.collection('migration_history').find({ outcome: 'done', action: 'migrate' }).toArray()
  expect(done.map(({ name }) => name).toSorted()).toEqual(shippedOf(done.map(({ name }) => name)))
  const { migrations } = await volt.migrations.status()
  expect(migrations.filter(({ id }) => shippedIds.includes(id)).every(({ state }) => state === 'applied')).toBe(true)
  await volt.close()
}

/** Each of the package's once, and the host's. */
function shippedOf(names: readonly string[]): string[] {
  const hosts = names.filter((name) => !name.startsWith('autovolt-'))
  return [...shippedIds, ...hosts].toSorted()
}

const stamps = () => ({ createdAt: new Date(startMs), updatedAt: new Date(startMs), __v: 0 })
