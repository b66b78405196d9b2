import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { Device } from '../../src/devices/device.js'
import type { ScheduleInput } from '../../src/schedules/schedule.js'
import type { DueAction } from '../../src/schedules/schedule-action.js'
import { aClassroom, aDevice } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let now = new Date('2026-03-02T06:00:00Z')
let done: DueAction[] = []
let fail: (action: DueAction) => boolean = () => false
let volt: AutoVolt
let device: Device
let room: ObjectId

const handle = () =>
  openVolt(database, {
    clock: { now: () => now },
    schedules: {
      action: async (actions) => {
        if (actions.some(fail)) throw new Error('the queue is away')
        done.push(...actions)
      },
    },
  })

beforeAll(async () => {
  volt = await handle()
  await volt.setup()
})
beforeEach(async () => {
  now = new Date('2026-03-02T06:00:00Z')
  done = []
  fail = () => false
  await database.db.collection('schedules').deleteMany({})
  room = (await volt.classrooms.create(aClassroom({ timeZone: 'Europe/Berlin' })))._id
  device = await volt.devices.create(aDevice({ classroom: room }))
})

const at = (text: string) => {
  now = new Date(text)
}
const aSchedule = (more: Partial<ScheduleInput> = {}): ScheduleInput => ({
  name: 'Morning',
  target: { kind: 'device', id: device._id },
  rule: { type: 'time', at: '08:00' },
  action: { command: 'turn_on', parameters: { power: true } },
  ...more,
})
const stored = (id: ObjectId) => volt.schedules.get(id)

describe('a schedule', () => {
  it('runs at its time by the clocks of the site, once, and then the next day', async () => {
    const { _id, nextAt, classroom } = await volt.schedules.create(aSchedule())
    expect({ nextAt, classroom }).toEqual({ nextAt: new Date('2026-03-02T07:00:00Z'), classroom: room })
    at('2026-03-02T06:59:59Z')
    expect(await volt.schedules.run()).toEqual({ done: 0, missed: 0, failed: 0 })
    at('2026-03-02T07:00:00Z')
    expect(await volt.schedules.run()).toEqual({ done: 1, missed: 0, failed: 0 })
    await volt.schedules.run()
    expect(done).toEqual([
      {
        key: `${_id.toHexString()} 2026-03-02T08:00`,
        schedule: _id,
        owner: undefined,
        target: { kind: 'device', id: device._id },
        device: device._id,
        classroom: room,
        command: 'turn_on',
        parameters: { power: true },
        dueAt: now,
      },
    ])
    expect(await stored(_id)).toMatchObject({
      nextAt: new Date('2026-03-03T07:00:00Z'),
      lastRun: { key: '2026-03-02T08:00', dueAt: now, doneAt: now },
      __v: 0,
    })
  })

  it('says what will happen, also before it is stored', async () => {
    const { _id } = await volt.schedules.create(aSchedule({ rule: { type: 'time', at: '08:00', weekdays: [7] } }))
    const expected = ['2026-03-08', '2026-03-15', '2026-03-22', '2026-03-29'].map((day) => `${day}T08:00`)
    expect((await volt.schedules.next(_id, 4)).map(({ key }) => key)).toEqual(expected)
    const preview = await volt.schedules.preview(aSchedule({ rule: { type: 'cron', expression: '0 8 * * SUN' } }), 2)
    expect(preview.map((run) => run.at)).toEqual([new Date('2026-03-08T07:00:00Z'), new Date('2026-03-15T07:00:00Z')])
    await volt.schedules.update(_id, { enabled: false })
    expect(await volt.schedules.next(_id, 4)).toEqual([])
  })

  it('that is changed runs by what it says then, and one that is due and not done yet is done', async () => {
    const { _id } = await volt.schedules.create(aSchedule())
    at('2026-03-02T07:00:00Z')
    await volt.schedules.update(_id, { name: 'Renamed' })
    await volt.schedules.upsert({ _id }, { ...aSchedule(), _id })
    await volt.schedules.run()
    expect(done).toHaveLength(1)
    await volt.schedules.update(_id, { rule: { type: 'time', at: '08:05' } })
    at('2026-03-02T07:05:00Z')
    await volt.schedules.run()
    expect(done.map(({ key }) => key.slice(-5))).toEqual(['08:00', '08:05'])
    await volt.schedules.update(_id, { enabled: false })
    expect((await stored(_id)).nextAt).toBeUndefined()
    await volt.schedules.bulk([{ update: _id, changes: { enabled: true } }])
    expect((await stored(_id)).nextAt).toEqual(new Date('2026-03-03T07:05:00Z'))
  })

  it('is refused for what is not there, and with a rule that never runs', async () => {
    const gone = aSchedule({ target: { kind: 'switch', id: new ObjectId() } })
    await expect(volt.schedules.create(gone)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await volt.schedules.count()).toBe(0)
    for (const expression of ['0 0 30 2 *', '*/5 * * * * *', 'every day', '61 * * * *', '@daily']) {
      const wrong = aSchedule({ rule: { type: 'cron', expression } })
      await expect(volt.schedules.create(wrong), expression).rejects.toMatchObject({ code: 'VALIDATION' })
    }
    const { _id } = await volt.schedules.create(aSchedule())
    const target = { kind: 'device', id: new ObjectId() } as const
    await expect(volt.schedules.update(_id, { target } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('stops where its device is gone, and says why', async () => {
    const { _id } = await volt.schedules.create(aSchedule())
    await volt.devices.delete(device._id)
    at('2026-03-02T07:00:00Z')
    expect(await volt.schedules.run()).toMatchObject({ done: 0 })
    expect(await stored(_id)).toMatchObject({ stoppedReason: expect.stringContaining('not there any more') })
    expect((await stored(_id)).nextAt).toBeUndefined()
  })
})

describe('the site', () => {
  it('decides by its zone, holidays and place, also when these change', async () => {
    const calendar = await volt.siteCalendars.create({ classroom: room, holidays: [{ date: '2026-03-03' }] })
    const { _id } = await volt.schedules.create(aSchedule())
    const sun = await volt.schedules.create(aSchedule({ rule: { type: 'sun', event: 'sunset' } }))
    expect(sun).toMatchObject({ stoppedReason: expect.stringContaining('no place') })
    at('2026-03-02T07:00:00Z')
    await volt.schedules.run()
    expect((await stored(_id)).nextAt).toEqual(new Date('2026-03-04T07:00:00Z'))
    await volt.siteCalendars.update(calendar._id, { holidays: [], place: { latitude: 52.52, longitude: 13.4 } })
    await volt.classrooms.update(room, { timeZone: 'Asia/Kolkata' })
    await (await handle()).schedules.run()
    expect((await stored(_id)).nextAt).toEqual(new Date('2026-03-03T02:30:00Z'))
    expect((await stored(sun._id)).nextAt?.toISOString().slice(0, 13)).toBe('2026-03-02T16')
  })
})

describe('runs that were missed', () => {
  const missed = async (missedRuns: 'latest' | 'skip' | 'all', catchUpMs: number) => {
    const hourly = { type: 'cron', expression: '0 * * * *' } as const
    const { _id } = await volt.schedules.create(aSchedule({ rule: hourly, missedRuns, catchUpMs }))
    at('2026-03-02T11:30:00Z')
    await volt.schedules.run()
    return { hours: done.map(({ dueAt }) => dueAt.getUTCHours()), missed: (await stored(_id)).missed?.count ?? 0 }
  }

  it('are made good by the last one', async () => {
    expect(await missed('latest', 7_200_000)).toEqual({ hours: [11], missed: 4 })
  })
  it('are left out', async () => {
    expect(await missed('skip', 7_200_000)).toEqual({ hours: [], missed: 5 })
  })
  it('are made good as far as they are not too late', async () => {
    expect(await missed('all', 7_200_000)).toEqual({ hours: [10, 11], missed: 3 })
  })
  it('are not made good where the last is too late', async () => {
    expect(await missed('latest', 600_000)).toEqual({ hours: [], missed: 5 })
  })

  it('of one target leave the last state alone', async () => {
    const off = { command: 'turn_off' }
    await volt.schedules.create(aSchedule({ rule: { type: 'time', at: '09:00' }, action: off, catchUpMs: 86_400_000 }))
    await volt.schedules.create(aSchedule({ catchUpMs: 86_400_000 }))
    at('2026-03-02T15:00:00Z')
    expect(await volt.schedules.run()).toEqual({ done: 1, missed: 1, failed: 0 })
    expect(done).toMatchObject([{ command: 'turn_off' }])
  })
})

it('tries an action that failed again, and the others are not held up', async () => {
  const failing = await volt.schedules.create(aSchedule())
  await volt.schedules.create(aSchedule({ name: 'Other' }))
  fail = ({ schedule }) => schedule.equals(failing._id)
  at('2026-03-02T07:00:00Z')
  expect(await volt.schedules.run()).toEqual({ done: 1, missed: 0, failed: 1 })
  expect(await stored(failing._id)).toMatchObject({ lastError: 'the queue is away', nextAt: now })
  fail = () => false
  expect(await volt.schedules.run()).toEqual({ done: 1, missed: 0, failed: 0 })
  expect((await stored(failing._id)).lastError).toBeUndefined()
})

it('has the two times of a switch, as its own field had them', async () => {
  const id = device.switches[0]?._id ?? new ObjectId()
  expect(await volt.schedules.switchTimes(id)).toEqual({ enabled: false })
  const times = { enabled: true, onTime: '08:00', offTime: '18:30', daysOfWeek: [0, 1, 5] }
  expect(await volt.schedules.setSwitchTimes(id, times)).toEqual(times)
  expect(await volt.schedules.count({ 'target.id': id })).toBe(2)
  at('2026-03-06T17:30:00Z')
  await volt.schedules.run()
  expect(done).toMatchObject([{ command: 'turn_off', target: { kind: 'switch', id } }])
  expect(await volt.schedules.setSwitchTimes(id, { onTime: '09:00' })).toEqual({ enabled: false, onTime: '09:00' })
  expect(await volt.schedules.count({ 'target.id': id })).toBe(1)
})
