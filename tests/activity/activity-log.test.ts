import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { anActivity } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  await database.db.collection('activity_logs').deleteMany({})
})

const told = (overrides: Parameters<typeof anActivity>[0] = {}) => {
  const { _id, ...activity } = anActivity(overrides)
  return activity
}

describe('record()', () => {
  it('logs activities, and nothing for none', async () => {
    const activities = [told(), told({ switchId: undefined, userId: undefined, userName: undefined })]
    await volt.activities.record(activities)
    await volt.activities.record([])
    const stored = await volt.activities.find({})
    expect(stored.map(({ _id, ...activity }) => activity)).toEqual(expect.arrayContaining(activities))
    expect(stored).toHaveLength(2)
    expect(stored.every(({ _id }) => _id instanceof ObjectId)).toBe(true)
  })

  it('logs an activity once, as it was told first, however often it is told', async () => {
    const activity = told({ cause: 'manual' })
    await volt.activities.record([activity, activity])
    await volt.activities.record([{ ...activity, cause: 'schedule' }, told()])
    expect(await volt.activities.count()).toBe(2)
    expect(await volt.activities.findOne({ idempotencyKey: activity.idempotencyKey })).toMatchObject(activity)
  })

  it('logs it once where many handles tell of it at once', async () => {
    const others = await Promise.all([openVolt(database), openVolt(database)])
    const activities = Array.from({ length: 50 }, () => told())
    await Promise.all([volt, ...others, volt].map((handle) => handle.activities.record(activities)))
    expect(await volt.activities.count()).toBe(50)
  })

  it('tells apart what different devices tell under one key', async () => {
    await volt.activities.record([told({ idempotencyKey: 'k' }), told({ idempotencyKey: 'k' })])
    expect(await volt.activities.count()).toBe(2)
  })

  it('takes part in the transaction that it is called in', async () => {
    const activity = told()
    const undone = volt.transaction(async () => {
      await volt.activities.record([activity])
      expect(await volt.activities.count()).toBe(1)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await volt.activities.count()).toBe(0)
    await volt.transaction(() => volt.activities.record([activity, activity]))
    expect(await volt.activities.count()).toBe(1)
  })

  it('is refused where an activity is not one', async () => {
    const wrong = { ...told(), action: 'Exploded!' } as never
    await expect(volt.activities.record([wrong])).rejects.toMatchObject({ code: 'VALIDATION' })
    expect(await volt.activities.count()).toBe(0)
  })
})
