import { expect, it } from 'vitest'
import type { Entity, StoredFields } from '../../src/core/entity.js'
import { allDay, aRollUpSite, used, writeRollUps } from '../energy/analytics/support/roll-ups.js'
import { aClassroom, aDevice, aLedgerAnchor, aLedgerCheckpoint, aQuarantinedMessage } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const startMs = Date.parse('2026-03-09T04:30:00Z')
const minuteMs = 60_000

async function openSetUp() {
  const database = setUpDatabase()
  const time = { nowMs: startMs }
  const volt = await openVolt(database, { clock: { now: () => new Date(time.nowMs) } })
  await volt.setup()
  const at = (minutes: number) => new Date(startMs + minutes * minuteMs)
  /** What was opened and closed, in minutes, once the rules were run then. */
  const alertsAt = async (minutes: number) => {
    time.nowMs = at(minutes).getTime()
    await volt.alertRules.run({ lateMs: 0 })
    const found = await volt.alerts.find({}, { sort: { timestamp: 1 } })
    return found.map(({ timestamp, resolvedAt }) =>
      [timestamp, resolvedAt].map((one) => (one === undefined ? null : (one.getTime() - startMs) / minuteMs)),
    )
  }
  const repository = (key: 'quarantine' | 'ledgerCheckpoints' | 'ledgerAnchors') =>
    volt.repository(volt.entityOf(key) as Entity<StoredFields>)
  return { database, volt, at, alertsAt, repository }
}

it('opens one alert for each silence of a device, and closes it when the device is back', async () => {
  const { volt, database, at, alertsAt } = await openSetUp()
  const { _id: classroom } = await volt.classrooms.create(aClassroom())
  const device = await volt.devices.create(aDevice({ classroom, name: 'The lamp' }))
  await volt.alertRules.create({ name: 'Silent', kind: 'device_offline', severity: 'medium', holdMs: 10 * minuteMs })
  const seen = (minutes: number, status: string) =>
    database.db.collection('devices').updateOne({ _id: device._id }, { $set: { status, lastSeenAt: at(minutes) } })
  await seen(1, 'offline')
  expect(await alertsAt(10)).toEqual([])
  expect(await alertsAt(13)).toEqual([[11, null]])
  expect(await volt.alerts.findOne({})).toMatchObject({
    type: 'device_offline',
    message: `Silent: The lamp was last seen at ${at(1).toISOString()}`,
    device: device._id,
    classroom,
  })
  expect(await alertsAt(14)).toEqual([[11, null]])
  await seen(15, 'online')
  expect(await alertsAt(28)).toEqual([[11, 15]])
  // It said nothing more since.
  await seen(15, 'offline')
  expect(await alertsAt(29)).toEqual([
    [11, 15],
    [25, null],
  ])
})

it('opens an alert while many messages cannot be used, and closes it below the lower limit', async () => {
  const { volt, at, alertsAt, repository } = await openSetUp()
  await volt.alertRules.create({
    name: 'Quarantine',
    kind: 'quarantine_growing',
    severity: 'high',
    raiseAt: 5,
    clearAt: 2,
  })
  const come = async (minutes: number, count: number) => {
    for (let one = 0; one < count; one += 1)
      await repository('quarantine').create(aQuarantinedMessage({ lastReceivedAt: at(minutes) }))
  }
  await come(0, 2)
  await come(10, 3)
  expect(await alertsAt(11)).toEqual([[11, null]])
  expect((await volt.alerts.findOne({}))?.message).toBe('Quarantine: 5 messages of the last hour could not be used')
  // Three are within the hour: between the limits.
  expect(await alertsAt(65)).toEqual([[11, null]])
  expect(await alertsAt(75)).toEqual([[11, 75]])
})

it('opens an alert about an anchor without the newest checkpoint', async () => {
  const { volt, at, alertsAt, repository } = await openSetUp()
  await volt.alertRules.create({ name: 'Anchors', kind: 'anchor_late', severity: 'high', holdMs: 60 * minuteMs })
  const anchor = { ...aLedgerAnchor(), anchoredAt: at(0) }
  const { _id } = await repository('ledgerAnchors').create(anchor)
  expect(await alertsAt(100)).toEqual([])
  await repository('ledgerCheckpoints').create({ ...aLedgerCheckpoint(), size: 4 })
  expect(await alertsAt(102)).toEqual([[60, null]])
  await repository('ledgerAnchors').update(_id, { size: 4, anchoredAt: at(103) } as never)
  expect(await alertsAt(104)).toEqual([[60, 104]])
})

it('opens an alert about backups whose last success was long ago', async () => {
  const { volt, database, at, alertsAt } = await openSetUp()
  await volt.alertRules.create({ name: 'Backups', kind: 'backup_old', severity: 'critical', holdMs: 60 * minuteMs })
  expect(await alertsAt(0)).toEqual([])
  const schedules = database.db.collection('backup_schedules')
  const stamps = { createdAt: at(0), updatedAt: at(0), __v: 0 }
  await schedules.insertOne({ name: 'backup', failures: 1, lastError: 'it was full', lastSuccessAt: at(5), ...stamps })
  expect(await alertsAt(64)).toEqual([])
  expect(await alertsAt(66)).toEqual([[65, null]])
  expect((await volt.alerts.findOne({}))?.message).toMatch(/^Backups: The last was made at .*: it was full$/)
  await schedules.updateOne({}, { $set: { lastSuccessAt: at(70) } })
  expect(await alertsAt(71)).toEqual([[65, 71]])
})

it('opens an alert about an hour in which much more was used than in the weeks before', async () => {
  const { volt, database, alertsAt } = await openSetUp()
  await volt.alertRules.create({ name: 'Energy', kind: 'energy_unusual', severity: 'low', raiseAt: 10 })
  const site = aRollUpSite()
  const weeks = Array.from({ length: 8 }, (_, week) =>
    allDay(site, new Date(Date.parse('2026-01-12') + week * 7 * 86_400_000).toISOString().slice(0, 10), () => 0.1),
  ).flat()
  // From two to four on Monday, and half past four it is.
  const today = allDay(site, '2026-03-09', (hour) => (hour === 3 ? 2 : 0.1))
  await writeRollUps(database, [...weeks, ...today])
  expect(await alertsAt(0)).toEqual([[-30, null]])
  expect(await volt.alerts.findOne({})).toMatchObject({
    classroom: site.classroom,
    message: 'Energy: 2000 W in the hour from 2026-03-09T03:00:00.000Z, and 100 W are usual',
  })
  expect(await alertsAt(60)).toEqual([[-30, null]])
  expect(await alertsAt(240)).toEqual([[-30, 240]])
})

it('opens an alert about a month in which more was used than was planned', async () => {
  const { volt, database, alertsAt } = await openSetUp()
  const site = aRollUpSite()
  await volt.alertRules.create({
    name: 'Budget',
    kind: 'budget_exceeded',
    severity: 'low',
    raiseAt: 100,
    classroom: site.classroom,
  })
  await writeRollUps(database, [
    used(aRollUpSite(), '2026-03-02T10:00:00Z', 500),
    used(site, '2026-03-02T10:00:00Z', 90),
  ])
  expect(await alertsAt(0)).toEqual([])
  await database.db.collection('monthly_aggregates').deleteMany({ classroom: site.classroom })
  await writeRollUps(database, [used(site, '2026-03-03T10:00:00Z', 120)])
  // Looked at every five minutes.
  expect(await alertsAt(1)).toEqual([])
  expect(await alertsAt(6)).toEqual([[6, null]])
  expect((await volt.alerts.findOne({}))?.message).toBe('Budget: 120 kWh in 2026-03, and 100 kWh were planned')
  const aprilMinutes = (Date.parse('2026-04-01T00:10:00Z') - startMs) / minuteMs
  expect(await alertsAt(aprilMinutes)).toEqual([[6, aprilMinutes]])
})
