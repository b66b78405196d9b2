import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { AlertRuleInput } from '../../src/incidents/rules/alert-rule.js'
import { aClassroom, aDevice, aTelemetryEvent } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { naiveEvents } from './support/naive-rule.js'

const startMs = Date.parse('2026-03-02T08:00:00Z')
const secondMs = 1_000

async function openSetUp() {
  const database = setUpDatabase()
  const time = { nowMs: startMs }
  const volt = await openVolt(database, { clock: { now: () => new Date(time.nowMs) } })
  await volt.setup()
  const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'UTC' }))
  const device = await volt.devices.create(aDevice({ classroom }))
  const measure = (seconds: number, values: object) =>
    volt.measurements.insert([
      { timestamp: new Date(startMs + seconds * secondMs), meta: { device: device._id }, power: 1, ...values },
    ])
  const runAt = (seconds: number) => {
    time.nowMs = startMs + seconds * secondMs
    return volt.alertRules.run({ lateMs: 0 })
  }
  const alerts = async () =>
    (await volt.alerts.find({}, { sort: { timestamp: 1 } })).map((alert) => ({
      opened: (alert.timestamp.getTime() - startMs) / secondMs,
      closed: alert.resolvedAt === undefined ? null : (alert.resolvedAt.getTime() - startMs) / secondMs,
    }))
  await runAt(0)
  return { database, volt, time, classroom, device, measure, runAt, alerts }
}

const aRule = (overrides: Partial<AlertRuleInput> = {}): AlertRuleInput => ({
  name: 'Too high',
  kind: 'over_voltage',
  severity: 'high',
  raiseAt: 250,
  clearAt: 245,
  ...overrides,
})

describe('a rule about readings', () => {
  it('opens an alert that says what was measured, and closes it, whenever it is run', async () => {
    const { volt, measure, runAt, alerts, device, classroom } = await openSetUp()
    const rule = await volt.alertRules.create(aRule({ holdMs: 20_000, clearHoldMs: 10_000 }))
    for (const [at, voltage] of [230, 251, 252, 253, 254, 248, 244].entries()) await measure(10 * at, { voltage })
    expect(await runAt(25)).toMatchObject({ isDone: true, readings: 3, opened: 0 })
    expect(await runAt(35)).toMatchObject({ readings: 1, opened: 1, closed: 0 })
    expect(await volt.alerts.findOne({})).toMatchObject({
      key: `rule:${rule._id}:${device._id}`,
      type: 'over_voltage',
      source: `rule:${rule._id}`,
      severity: 'high',
      message: 'Too high: 253 V, and the limit is 250 V',
      value: 253,
      device: device._id,
      classroom,
    })
    await runAt(65)
    expect(await alerts()).toEqual([{ opened: 30, closed: null }])
    await measure(70, { voltage: 243 })
    expect(await runAt(75)).toMatchObject({ closed: 1 })
    expect(await alerts()).toEqual([{ opened: 30, closed: 70 }])
    expect(await runAt(80)).toMatchObject({ readings: 0, opened: 0, closed: 0 })
  })

  it.each([
    ['over_temperature', { raiseAt: 30 }, [{ temperature: 31.5 }], [{ temperature: 20 }]],
    ['over_current', { raiseAt: 10 }, [{ current: 11 }], [{ current: 9 }]],
    ['under_voltage', { raiseAt: 200, clearAt: 210 }, [{ voltage: 190 }], [{ voltage: 205 }, { voltage: 220 }]],
    ['over_power', { raiseAt: 1_000 }, [{ power: 1_200 }], [{ power: 10 }]],
    ['idle_use', { raiseAt: 50 }, [{ power: 60 }], [{ power: 10 }]],
    [
      'meter_stuck',
      { raiseAt: 10, clearAt: 0, holdMs: 10_000 },
      [
        { counter_wh: 7, power: 60 },
        { counter_wh: 7, power: 60 },
        { counter_wh: 7, power: 60 },
      ],
      [{ counter_wh: 8, power: 60 }],
    ],
    ['meter_backwards', { raiseAt: 1, clearAt: 0 }, [{ counter_wh: 7 }, { counter_wh: 5 }], [{ counter_wh: 6 }]],
  ] as const)('knows %s', async (kind, limits, bad, good) => {
    const { volt, measure, runAt, alerts, device } = await openSetUp()
    await volt.alertRules.create({ name: 'A limit', kind, severity: 'low', clearAt: limits.raiseAt, ...limits })
    const say = async (at: number, values: object) => {
      const { temperature, ...rest }: { readonly temperature?: number } = values
      if (temperature === undefined) return measure(at, rest)
      const timestamp = new Date(startMs + at * secondMs)
      return volt.telemetry.insert([aTelemetryEvent({ meta: { device: device._id }, timestamp, value: temperature })])
    }
    let at = 0
    // One run for each reading: the counter that was read before is known.
    for (const values of bad) {
      at += 10
      await say(at, values)
      await runAt(at + 5)
    }
    expect(await alerts()).toEqual([{ opened: at, closed: null }])
    for (const values of good) {
      at += 10
      await say(at, values)
      await runAt(at + 5)
    }
    expect(await alerts()).toEqual([{ opened: expect.any(Number), closed: at }])
  })

  it('looks at the devices of its site or its device alone, and at each switch by itself', async () => {
    const { volt, runAt, classroom, device } = await openSetUp()
    const elsewhere = await volt.devices.create(aDevice())
    await volt.alertRules.create(aRule({ classroom }))
    await volt.alertRules.create(aRule({ name: 'Of another', device: elsewhere._id }))
    const [first, second] = [new ObjectId(), new ObjectId()]
    const at = new Date(startMs + 10_000)
    await volt.measurements.insert([
      { timestamp: at, meta: { device: device._id, switch: first }, voltage: 260 },
      { timestamp: at, meta: { device: device._id, switch: second }, voltage: 240 },
      { timestamp: at, meta: { device: elsewhere._id }, voltage: 260 },
    ])
    expect(await runAt(20)).toMatchObject({ opened: 2 })
    const found = await volt.alerts.find({}, { sort: { message: 1 } })
    expect(found.map(({ key }) => key.split(':').slice(2).join(':'))).toEqual([
      elsewhere._id.toHexString(),
      `${device._id}:${first}`,
    ])
  })

  it('closes what it has opened once it is not applied any more', async () => {
    const { volt, measure, runAt, alerts } = await openSetUp()
    const rule = await volt.alertRules.create(aRule())
    await measure(10, { voltage: 260 })
    await runAt(20)
    await volt.alertRules.update(rule._id, { enabled: false })
    expect(await runAt(30)).toMatchObject({ closed: 1 })
    expect(await alerts()).toEqual([{ opened: 10, closed: 30 }])
    await volt.alertRules.update(rule._id, { enabled: true })
    await measure(40, { voltage: 260 })
    await runAt(50)
    await volt.alertRules.delete(rule._id)
    await runAt(60)
    expect(await alerts()).toEqual([
      { opened: 10, closed: 30 },
      { opened: 40, closed: 60 },
    ])
  })

  it('does not open again what somebody has resolved while it goes on', async () => {
    const { volt, measure, runAt } = await openSetUp()
    await volt.alertRules.create(aRule())
    await measure(10, { voltage: 260 })
    await runAt(20)
    const found = await volt.alerts.findOne({})
    await volt.alerts.resolve(found?._id ?? '')
    await measure(30, { voltage: 261 })
    expect(await runAt(40)).toMatchObject({ opened: 0 })
    await measure(50, { voltage: 240 })
    await measure(60, { voltage: 260 })
    expect(await runAt(70)).toMatchObject({ opened: 1 })
  })

  it('does what a process that was killed had stored and not done', async () => {
    const { volt, measure, runAt, alerts, database } = await openSetUp()
    const rule = await volt.alertRules.create(aRule())
    await measure(10, { voltage: 260 })
    await runAt(20)
    const states = database.db.collection('alert_states')
    const due = { event: 'close', at: new Date(startMs + 25_000), value: 240 }
    await states.updateOne({ rule: rule._id }, { $set: { phase: 'normal', due: [due], isDue: true } })
    expect(await runAt(30)).toMatchObject({ closed: 1 })
    expect(await alerts()).toEqual([{ opened: 10, closed: 25 }])
    expect(await states.countDocuments()).toBe(0)
  })

  it('comes to the same in however many runs', async () => {
    const { volt, device, runAt } = await openSetUp()
    const limits = { raiseAt: 250, clearAt: 245, holdMs: 30_000, clearHoldMs: 20_000, gapMs: 25_000 }
    await volt.alertRules.create(aRule(limits))
    let at = 0
    const readings = Array.from({ length: 400 }, (_, place) => {
      at += place % 17 === 0 ? 40 : 7
      return { atMs: startMs + at * secondMs, value: 247 + 6 * Math.sin(place / 9) + (place % 5) - 2 }
    })
    await volt.measurements.insert(
      readings.map(({ atMs, value }) => ({ timestamp: new Date(atMs), meta: { device: device._id }, voltage: value })),
    )
    for (let until = 0; until < at + 50; until += 313) await runAt(until)
    await runAt(at + 50)
    const found = await volt.alerts.find({}, { sort: { timestamp: 1 } })
    const events = found.flatMap(({ timestamp, resolvedAt }) => [
      { event: 'open', atMs: timestamp.getTime() },
      ...(resolvedAt === undefined ? [] : [{ event: 'close', atMs: resolvedAt.getTime() }]),
    ])
    const expected = naiveEvents(readings, limits)
    expect(expected.length).toBeGreaterThan(6)
    expect(events).toEqual(expected)
  })
})

describe('the description of a rule', () => {
  it('has a limit where its kind has one, and is over on the good side of it', async () => {
    const { volt } = await openSetUp()
    const refused = (rule: AlertRuleInput) =>
      expect(volt.alertRules.create(rule)).rejects.toMatchObject({ code: 'VALIDATION' })
    await refused(aRule({ raiseAt: undefined }))
    await refused(aRule({ clearAt: 251 }))
    await refused(aRule({ kind: 'under_voltage', raiseAt: 200, clearAt: 190 }))
    await refused({ name: 'Silent', kind: 'device_offline', severity: 'low', raiseAt: 5 })
  })
})
