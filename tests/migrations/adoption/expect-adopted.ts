import type { Db } from 'mongodb'
import { expect } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { expectedTotals } from './origin-data.js'

/** What has no switch, on the days that nothing covers in more detail: device, day and where it is from. */
const wholeDays = [
  ['energyconsumptions', 'Corridor', '2025-11-03'],
  ['energyconsumptions', 'PhysicsLab_A', '2025-11-02'],
  ['device_consumption_ledger', 'Corridor', '2025-11-13'],
  ['device_consumption_ledger', 'PhysicsLab_A', '2025-11-13'],
  ['powerreadings', 'Corridor', '2025-11-14'],
] as const

/** The database has of the fixtures of AutoVolt what an independent program makes of them. */
export async function expectAdopted(volt: AutoVolt, db: Db): Promise<void> {
  await expectEnergy(volt)
  await expectProblems(db)
  expect((await volt.ledger.verify()).findings).toEqual([])
  const counts = { users: 9, classrooms: 6, devices: 5, cost_versions: 6, power_settings: 1, activity_logs: 125 }
  for (const [collection, count] of Object.entries({ ...counts, energy_measurements: 32, telemetry_events: 6 }))
    expect([collection, await db.collection(collection).countDocuments()]).toEqual([collection, count])
  const entries = db.collection('power_consumption_ledger')
  expect(await entries.countDocuments({ idempotencyKey: /^adopted:activitylogs/ })).toBe(127)
  expect(await entries.countDocuments({ idempotencyKey: /^adopted:switchstatelogs/ })).toBe(15)
  // Five intervals of the tracker, each with its two ends.
  expect(await entries.countDocuments({ idempotencyKey: /^adopted:device_consumption_ledger/ })).toBe(10)
}

async function expectEnergy(volt: AutoVolt): Promise<void> {
  const days = await volt.energy.dailyBySwitch({ from: '2025-10-28', to: '2025-11-20' })
  const channels = await wholeChannels(volt)
  const found = days
    .filter(({ switchId, energyKwh }) => energyKwh > 0 && !channels.has(switchId.toHexString()))
    .map(({ switchId, day, energyKwh, cost }) => ({
      key: `${switchId.toHexString()} ${day}`,
      mws: Math.round(energyKwh * 3.6e9),
      cost,
    }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const expected = expectedTotals.per_switch
    .filter(({ mws }) => mws > 0)
    .map(({ switch_id, day, mws, inr }) => ({ key: `${switch_id} ${day}`, mws, inr }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  expect(found.map(({ key, mws }) => [key, mws])).toEqual(expected.map(({ key, mws }) => [key, mws]))
  // Our costs are rounded to the currency's digits, theirs are not.
  for (const [at, { cost }] of found.entries())
    expect(Math.abs(cost - (expected[at]?.inr ?? 0))).toBeLessThan(0.005_001)
  const whole = days.filter(({ switchId, energyKwh }) => energyKwh !== 0 && channels.has(switchId.toHexString()))
  const wholeFound = whole.map(({ switchId, day, energyKwh }) => [
    channels.get(switchId.toHexString()),
    day,
    (energyKwh * 1000).toFixed(4),
  ])
  const wholeExpected = wholeDays.map(([source, device, day]) => {
    const row = expectedTotals.per_device.find(
      (one) => one.source === source && one.device === device && one.day === day,
    )
    return [device, day, row?.wh.toFixed(4)]
  })
  expect(wholeFound.map(String).toSorted()).toEqual(wholeExpected.map(String).toSorted())
}

/** The names of the devices, by the channels that stand for them as a whole. */
async function wholeChannels(volt: AutoVolt): Promise<ReadonlyMap<string, string>> {
  const channels = new Map<string, string>()
  for await (const { name, switches } of volt.devices.stream()) {
    for (const one of switches) if (one.name === 'Whole device') channels.set(one._id.toHexString(), name)
  }
  return channels
}

async function expectProblems(db: Db): Promise<void> {
  const rejects = db.collection('adoption_rejects')
  for (const { file, _id, why } of expectedTotals.problems) {
    const [originCollection] = file.split('--')
    const found = await rejects.findOne({ originCollection, originId: _id })
    const reason = why === 'two switches on one pin' ? 'two on one pin' : why
    expect([_id, found?.reason]).toEqual([_id, expect.stringContaining(reason)])
  }
  expect(await rejects.countDocuments({ reason: /^reports the same press/ })).toBe(expectedTotals.copies)
}
