import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { change } from '../../../src/core/repository/changes.js'
import { aUser } from '../../support/builders.js'
import { startChild } from '../../support/child.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const stored = () => database.db.collection('user_preferences')

describe('the preferences of a user', () => {
  it('are there at the first read, with defaults that are not stored', async () => {
    const { _id: user } = await volt.users.create(aUser())
    const preferences = await volt.userPreferences.forUser(user.toHexString())
    expect(preferences).toMatchObject({
      user,
      theme: 'light',
      language: 'en',
      timeZone: 'UTC',
      dashboards: [],
      notifications: { email: true, push: true, telegram: false },
      energy: { unit: 'kWh', renewableOnly: false, priceAlerts: false },
      privacy: { showsEnergy: false, showsProfile: false, allowsAnalytics: false },
    })
    expect(Object.keys((await stored().findOne({ user })) ?? {}).sort()).toEqual(
      ['_id', 'user', 'createdAt', 'updatedAt', '__v'].sort(),
    )
    expect(await volt.userPreferences.forUser(user)).toEqual(preferences)
  })

  it('belong to a user who is there', async () => {
    await expect(volt.userPreferences.forUser(new ObjectId())).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const { _id } = await volt.users.create(aUser())
    await volt.users.delete(_id)
    await expect(volt.userPreferences.forUser(_id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.userPreferences.forUser({ $ne: null } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    expect(await stored().countDocuments({ user: _id })).toBe(0)
  })

  it('are changed part by part', async () => {
    const { _id: user } = await volt.users.create(aUser())
    await volt.userPreferences.changeForUser(user, { 'notifications.telegram': true, 'energy.maxPricePerKwh': 0.2 })
    const changed = await volt.userPreferences.changeForUser(user, { 'notifications.email': false, theme: 'dark' })
    expect(changed).toMatchObject({
      theme: 'dark',
      notifications: { email: false, push: true, telegram: true },
      energy: { unit: 'kWh', maxPricePerKwh: 0.2 },
    })
    expect(await volt.userPreferences.changeForUser(user, { theme: change.unset() })).toMatchObject({ theme: 'light' })
    await expect(
      volt.userPreferences.changeForUser(user, { theme: 'auto' }, { version: changed.__v }),
    ).rejects.toMatchObject({ code: 'STALE_VERSION' })
    await expect(volt.userPreferences.changeForUser(user, { user: new ObjectId() })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })

  it('have a short view, and there is no other copy of it', async () => {
    const { _id: user } = await volt.users.create(aUser())
    await volt.userPreferences.changeForUser(user, { 'energy.renewableOnly': true, 'energy.maxTradeDistanceKm': 50 })
    expect(await volt.userPreferences.shortForUser(user)).toEqual({
      theme: 'light',
      language: 'en',
      notifications: { email: true, push: true, telegram: false },
      renewableOnly: true,
      priceAlerts: false,
      maxTradeDistanceKm: 50,
    })
    expect(await database.db.collection('users').findOne({ _id: user })).not.toHaveProperty('preferences')
  })

  it('are created inside a transaction too, and go with it', async () => {
    const { _id: user } = await volt.users.create(aUser())
    await expect(
      volt.transaction(async () => {
        await volt.userPreferences.changeForUser(user, { theme: 'dark' })
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    expect(await stored().countDocuments({ user })).toBe(0)
  })

  it('are one document, whichever of many processes reads first', async () => {
    const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName }
    const file = new URL('./processes/first-reader.ts', import.meta.url)
    const readers = Array.from({ length: 4 }, () => startChild(file, { env }))
    await Promise.all(readers.map((reader) => reader.next('ready')))
    for (let round = 0; round < 5; round += 1) {
      const { _id: user } = await volt.users.create(aUser())
      for (const reader of readers) reader.send({ type: 'read', user: user.toHexString(), times: 8 })
      const answers = await Promise.all(readers.map((reader) => reader.next('done')))
      const ids = new Set(answers.flatMap(({ outcomes }) => outcomes as string[]))
      expect(ids.size, [...ids].join()).toBe(1)
      expect(await stored().find({ user }).toArray()).toMatchObject([{ __v: 0 }])
    }
  }, 600_000)
})

describe('the channels of a user', () => {
  const quietHours = { from: '22:00', to: '06:30' }
  const preferences = (timeZone: string, quiet = quietHours) => ({
    timeZone,
    notifications: { email: true, push: true, telegram: false, quietHours: quiet },
  })

  it.each([
    ['2026-03-01T16:29:59Z', ['push', 'email']],
    ['2026-03-01T16:30:00Z', []],
    ['2026-03-02T00:59:59Z', []],
    ['2026-03-02T01:00:00Z', ['push', 'email']],
  ])('are silent in the quiet hours of Kolkata, at %s: %j', (instant, expected) => {
    expect(volt.userPreferences.channelsAt(preferences('Asia/Kolkata'), new Date(instant))).toEqual(expected)
  })

  it.each([
    // Clocks go from 02:00 to 03:00, and from 03:00 to 02:00.
    ['2026-03-29T00:59:00Z', { from: '02:00', to: '03:00' }, 2],
    ['2026-03-29T01:00:00Z', { from: '02:00', to: '03:00' }, 2],
    ['2026-10-25T00:30:00Z', { from: '02:00', to: '03:00' }, 0],
    ['2026-10-25T01:30:00Z', { from: '02:00', to: '03:00' }, 0],
    ['2026-10-25T02:00:00Z', { from: '02:00', to: '03:00' }, 2],
  ])('follow the clocks of Berlin at %s in %j', (instant, quiet, count) => {
    expect(volt.userPreferences.channelsAt(preferences('Europe/Berlin', quiet), new Date(instant))).toHaveLength(count)
  })

  it('are refused for what is no preferences', () => {
    expect(() => volt.userPreferences.channelsAt({} as never, new Date())).toThrow(/not valid/)
    expect(() => volt.userPreferences.channelsAt(preferences('UTC'), 'now' as never)).toThrow(/not valid/)
  })
})
