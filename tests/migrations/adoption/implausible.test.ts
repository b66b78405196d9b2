import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { adopted, device, deviceOf, lamp, lampSwitch, logOf, time } from './small-origin.js'

const unset = new Date(5_000)
const ahead = new Date('2125-11-01T10:00:00Z')
const notSet = 'its time is before 2020: a clock that was not set'
const toCome = 'its time is still to come: a clock that was wrong'
const mac = (text: string) => text.replaceAll(':', '')

describe('times that cannot be', () => {
  it('leave a press, an interval, a total or a reading of the meter with their reason: nothing says when it was', async () => {
    const { volt, report, reasons } = await adopted({
      activitylogs: [
        logOf(1, { timestamp: unset }),
        logOf(2, {}),
        logOf(3, { action: 'off' }),
        logOf(4, { action: 'off', timestamp: ahead }),
        { deviceId: device, action: 'device_offline', timestamp: ahead },
      ],
      switchstatelogs: [unset, ahead].map((timestamp) => ({
        deviceId: device,
        switchId: lamp,
        state: true,
        timestamp,
      })),
      device_consumption_ledger: [unset, ahead].flatMap((start_ts) => [
        { device_id: device.toHexString(), start_ts, delta_wh: 5 },
        {
          device_id: device.toHexString(),
          switch_id: lamp.toHexString(),
          start_ts,
          end_ts: new Date(start_ts.getTime() + 3_600_000),
          power_w: 40,
          delta_wh: 40,
          switch_on_duration_seconds: 3600,
        },
      ]),
      powerreadings: [unset, ahead].map((timestamp) => ({ deviceId: device, timestamp, power: 40, energy: 1 })),
      dailyconsumptions: [unset, ahead].map((date) => ({ deviceId: device, date, energyConsumptionKwh: 1 })),
      energyconsumptions: [1970, 2125].map((year) => ({
        deviceId: device,
        year,
        month: 1,
        day: 1,
        totalEnergyKwh: 1,
      })),
    })
    const expected = Object.entries({
      activitylogs: [notSet, toCome, toCome],
      switchstatelogs: [notSet, toCome],
      device_consumption_ledger: [notSet, notSet, toCome, toCome],
      powerreadings: [notSet, toCome],
      dailyconsumptions: [notSet, toCome],
      energyconsumptions: [notSet, toCome],
    }).flatMap(([collection, found]) => found.map((reason) => `left ${collection}: ${reason}`))
    expect(reasons.filter((one) => one.startsWith('left')).toSorted()).toEqual(expected.toSorted())
    expect(report.adopted).toMatchObject({ ledgerEntries: 2, activities: 2, measurements: 0 })
    expect(report.wholeDevices).toEqual([])
    expect(report.switches.map(({ energyWs }) => energyWs)).toEqual([144_000])
    expect((await volt.ledger.verify()).findings).toEqual([])
  })

  it('of telemetry give way to those of the arrival, and it is said; without one it is left', async () => {
    const macAddress = '02:00:00:00:aa:01'
    const of = { device_id: mac(macAddress), power_w: 40 }
    const { target, report, reasons } = await adopted({
      devices: [deviceOf({ macAddress, name: 'Meter' })],
      telemetry_events: [
        { ...of, timestamp: time(1), received_at: time(1) },
        { ...of, timestamp: unset, received_at: time(3) },
        { ...of, timestamp: ahead, received_at: time(2) },
        { ...of, timestamp: unset, received_at: unset },
        { ...of, timestamp: ahead },
        { ...of, power_w: undefined, status: 'online', timestamp: unset, received_at: time(4) },
        { ...of, timestamp: 'yesterday', received_at: time(5) },
      ],
    })
    expect(reasons.filter((one) => one.includes('telemetry_events')).toSorted()).toEqual(
      [
        `left telemetry_events: ${notSet}`,
        `left telemetry_events: ${toCome}`,
        'left telemetry_events: an id or a time of the wrong type',
        `noted telemetry_events: ${notSet}. That of its arrival was taken`,
        `noted telemetry_events: ${notSet}. That of its arrival was taken`,
        `noted telemetry_events: ${toCome}. That of its arrival was taken`,
      ].toSorted(),
    )
    expect(report.adopted).toMatchObject({ measurements: 3, telemetryEvents: 1 })
    const stored = await target.db.collection('energy_measurements').find().sort({ timestamp: 1 }).toArray()
    expect(stored.map(({ timestamp, quality }) => [timestamp, quality])).toEqual([
      [time(1), 'good'],
      [time(2), 'fair'],
      [time(3), 'fair'],
    ])
    const event = await target.db.collection('telemetry_events').findOne()
    expect(event).toMatchObject({ timestamp: time(4), quality_flags: { time_drift: true, confidence: 'low' } })
  })

  it('at which a device was seen or switched are left out, so that it is not taken for one that reports', async () => {
    const { volt, reasons } = await adopted({
      devices: [
        deviceOf({
          name: 'Ahead',
          lastSeen: ahead,
          switches: [{ ...lampSwitch, _id: new ObjectId(), lastStateChange: unset }],
        }),
      ],
    })
    const found = await volt.devices.findOne({ name: 'Ahead' })
    expect(found?.lastSeenAt ?? null).toBeNull()
    expect(found?.switches[0]?.stateAt ?? null).toBeNull()
    expect(reasons.join('\n')).toContain('it was seen or switched before 2020, or later than now: that was left out')
  })
})

describe('sums of days that are none', () => {
  it('are named with their reason, compared with nothing, and taken as no other day', async () => {
    const macAddress = '02:00:00:00:aa:02'
    const own = deviceOf({ macAddress, name: 'Sums' })
    const device_id = mac(macAddress)
    const { target, report, reasons } = await adopted({
      devices: [own],
      daily_aggregates: ['2025-99-99', '2025-02-30', '2025-13-01', '2025-2-3', 'yesterday', '', 20_250_203, null].map(
        (date_string) => ({ device_id, date_string, total_wh: 7 }),
      ),
      monthly_aggregates: [
        { year: 2025, month: 13 },
        { year: '2025', month: 'x' },
        { month: 2 },
        { year: 2025, month: 0 },
      ].map((of) => ({ device_id, ...of, total_wh: 7 })),
      monthlyconsumptions: [{ year: 2025, month: 99 }].map((of) => ({
        deviceId: own._id,
        ...of,
        energyConsumptionKwh: 7,
      })),
      energyconsumptions: [
        { year: 2025, month: 99, day: 99 },
        { year: 2025, month: 2, day: 30 },
      ].map((of) => ({ deviceId: own._id, ...of, totalEnergyKwh: 7 })),
      dailyconsumptions: [{ deviceId: own._id, date: '2025-99-99', energyConsumptionKwh: 7 }],
    })
    const count = (collection: string, reason: string) =>
      reasons.filter((one) => one === `left ${collection}: ${reason}`).length
    expect(count('daily_aggregates', 'its day or month is none')).toBe(8)
    expect(count('monthly_aggregates', 'its day or month is none')).toBe(4)
    expect(count('monthlyconsumptions', 'its day or month is none')).toBe(1)
    expect(count('energyconsumptions', 'its day is none')).toBe(2)
    expect(count('dailyconsumptions', 'its day is none')).toBe(1)
    expect(report.days).toEqual([])
    expect(report.wholeDevices).toEqual([])
    expect(await target.db.collection('adoption_days').countDocuments()).toBe(0)
  })
})
