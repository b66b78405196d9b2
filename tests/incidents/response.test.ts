import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { aClassroom, aDevice, anAlert, aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const startMs = Date.parse('2026-03-02T08:00:00Z')
const minuteMs = 60_000

async function openSetUp() {
  const database = setUpDatabase()
  const time = { nowMs: startMs }
  const volt = await openVolt(database, { clock: { now: () => new Date(time.nowMs) } })
  await volt.setup()
  const at = (minutes: number) => new Date(startMs + minutes * minuteMs)
  return { database, volt, time, at }
}

describe('alerts', () => {
  it('of one site that come close after each other are one case, as bad as the worst of them', async () => {
    const { volt, at } = await openSetUp()
    const [room, other] = [new ObjectId(), new ObjectId()]
    const raise = async (minutes: number, overrides: object) =>
      (await volt.alerts.raise(anAlert({ timestamp: at(minutes), ...overrides }))).alert._id
    const first = await raise(0, { classroom: room })
    const second = await raise(4, { classroom: room, severity: 'critical' })
    const third = await raise(8, { classroom: room })
    const late = await raise(20, { classroom: room })
    const elsewhere = await raise(1, { classroom: other })
    const mild = await raise(2, { classroom: room, severity: 'low' })
    expect(await volt.incidents.run({ windowMs: 5 * minuteMs })).toEqual({ correlated: 5, notified: 0 })
    const caseOf = async (id: ObjectId) => (await volt.alerts.get(id)).case?.toHexString()
    const own = await caseOf(first)
    expect([await caseOf(second), await caseOf(third)]).toEqual([own, own])
    expect(new Set([own, await caseOf(late), await caseOf(elsewhere)]).size).toBe(3)
    expect(await caseOf(mild)).toBeUndefined()
    expect(await volt.cases.get(own ?? '')).toMatchObject({
      severity: 'critical',
      classroom: room,
      status: 'open',
      tags: ['door_open'],
    })
    // What comes once that case is closed is another one.
    await volt.cases.move((await caseOf(late)) ?? '', 'closed')
    const again = await raise(21, { classroom: room })
    await volt.incidents.run()
    expect(await caseOf(again)).not.toBe(await caseOf(late))
    expect(await volt.cases.count()).toBe(4)
  })

  it('are one case also where several processes put them to cases at once', async () => {
    const { volt, database, at } = await openSetUp()
    const handles = await Promise.all([1, 2, 3].map(() => openVolt(database)))
    const rooms = Array.from({ length: 10 }, () => new ObjectId())
    for (const classroom of rooms)
      for (const minutes of [0, 1, 2]) await volt.alerts.raise(anAlert({ classroom, timestamp: at(minutes) }))
    await Promise.all([volt, ...handles].map((one) => one.incidents.run()))
    expect(await volt.cases.count()).toBe(10)
    expect(await volt.alerts.count({ resolved: false })).toBe(30)
    for (const { _id } of await volt.cases.find()) expect(await volt.alerts.count({ case: _id })).toBe(3)
  })
})

describe('an escalation', () => {
  it('notifies one after the other, each once, until somebody acknowledges', async () => {
    const { volt, time, at } = await openSetUp()
    const { _id: classroom } = await volt.classrooms.create(aClassroom())
    const [first, second] = await volt.users.createMany([aUser(), aUser()])
    if (first === undefined || second === undefined) throw new Error('There are no users')
    await volt.escalations.create({
      name: 'Of the lab',
      classroom,
      minimumSeverity: 'high',
      steps: [
        { afterMs: 0, users: [first._id, new ObjectId()] },
        { afterMs: 10 * minuteMs, users: [first._id, second._id] },
      ],
    })
    const raise = (key: string, severity: 'low' | 'critical') =>
      volt.alerts.raise(anAlert({ key, classroom, severity, timestamp: at(0) }))
    const { alert } = await raise('a', 'critical')
    const acknowledged = await raise('b', 'critical')
    const silenced = await raise('c', 'critical')
    await raise('d', 'low')
    await volt.alerts.acknowledge(acknowledged.alert._id)
    await volt.alerts.silence(silenced.alert._id, at(5))
    const run = async (minutes: number) => {
      time.nowMs = at(minutes).getTime()
      return (await volt.incidents.run()).notified
    }
    expect(await run(1)).toBe(1)
    expect(await run(2)).toBe(0)
    // Once it is not silent any more.
    expect(await run(6)).toBe(1)
    expect(await run(11)).toBe(4)
    expect(await run(12)).toBe(0)
    const sent = await volt.notifications.find({ user: first._id }, { sort: { _id: 1 } })
    expect(sent[0]).toMatchObject({
      kind: 'alert',
      severity: 'critical',
      title: 'The door is open',
      about: { entity: 'alert', id: alert._id },
      classroom,
      data: { type: 'door_open', escalation: 'Of the lab', step: 1 },
    })
    expect(sent).toHaveLength(4)
    expect(await volt.notifications.count({ user: second._id })).toBe(2)
  })

  it('sends each step once where several processes do it at once', async () => {
    const { volt, database, at } = await openSetUp()
    const user = await volt.users.create(aUser())
    await volt.escalations.create({ name: 'All', minimumSeverity: 'low', steps: [{ afterMs: 0, users: [user._id] }] })
    for (let count = 0; count < 20; count += 1) await volt.alerts.raise(anAlert({ timestamp: at(0) }))
    const handles = await Promise.all([1, 2, 3].map(() => openVolt(database)))
    await Promise.all([volt, ...handles].map((one) => one.incidents.run()))
    expect(await volt.notifications.count({ user: user._id })).toBe(20)
  })
})

describe('a maintenance window', () => {
  it('keeps rules from opening alerts, and from nothing else', async () => {
    const { volt, time, at } = await openSetUp()
    const { _id: classroom } = await volt.classrooms.create(aClassroom())
    const device = await volt.devices.create(aDevice({ classroom }))
    const elsewhere = await volt.devices.create(aDevice())
    await volt.alertRules.create({ name: 'Too high', kind: 'over_voltage', severity: 'low', raiseAt: 250 })
    await volt.maintenanceWindows.create({ reason: 'New meters', classroom, from: at(10), until: at(20) })
    const run = async (minutes: number) => {
      time.nowMs = at(minutes).getTime()
      await volt.alertRules.run({ lateMs: 0 })
      return (await volt.alerts.find({ device: device._id }, { sort: { timestamp: 1 } })).map(
        ({ timestamp, resolvedAt }) => [timestamp, resolvedAt].map((one) => one && (Number(one) - startMs) / minuteMs),
      )
    }
    await run(0)
    const measure = (minutes: number, voltage: number) =>
      volt.measurements.insert(
        [device, elsewhere].map(({ _id }) => ({ timestamp: at(minutes), meta: { device: _id }, power: 1, voltage })),
      )
    // It begins before, and ends within.
    await measure(9, 260)
    await measure(12, 240)
    await measure(14, 260)
    expect(await run(15)).toEqual([[9, 12]])
    expect(await volt.alerts.count({ device: elsewhere._id })).toBe(2)
    // It goes on after the window.
    await measure(21, 260)
    expect(await run(22)).toEqual([
      [9, 12],
      [21, undefined],
    ])
  })
})
