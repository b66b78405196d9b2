import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { analyticsDatabase } from './support/analytics.js'
import { allDay, aRollUpSite, kWh, used, writeRollUps } from './support/roll-ups.js'

const { database, analytics } = await analyticsDatabase()
const march = { from: '2026-03-01', to: '2026-03-31' }

describe('monthly trends', () => {
  it('have totals, the days on which energy was used, and their mean', async () => {
    const [one, other] = [aRollUpSite(), aRollUpSite({ timeZone: 'Asia/Kolkata' })]
    await writeRollUps(database, [
      used(one, '2026-02-28T10:00:00Z', 1),
      used(one, '2026-03-01T10:00:00Z', 2),
      used(other, '2026-03-01T10:00:00Z', 3),
      used(other, '2026-03-31T20:00:00Z', 4),
      used(one, '2026-03-09T10:00:00Z', 0),
      used(one, '2026-03-10T10:00:00Z', 1),
    ])
    expect(await analytics.monthlyTrends({ from: '2026-01', to: '2026-04' })).toEqual([
      expect.objectContaining({ month: '2026-02', totalEnergyKwh: 1, activeDays: 1, averageDailyEnergyKwh: 1 }),
      {
        month: '2026-03',
        totalEnergyKwh: 6,
        totalProductionKwh: 0,
        totalCost: 1.8,
        currency: 'EUR',
        costs: [{ currency: 'EUR', amount: 1.8 }],
        activeDays: 2,
        averageDailyEnergyKwh: 3,
      },
      expect.objectContaining({ month: '2026-04', totalEnergyKwh: 4, activeDays: 1 }),
    ])
    const ofOne = await analytics.monthlyTrends({ from: '2026-03', to: '2026-03', devices: [one.device] })
    expect(ofOne).toMatchObject([{ totalEnergyKwh: 3, activeDays: 2, averageDailyEnergyKwh: 1.5 }])
  })

  it('divide nothing by zero', async () => {
    await writeRollUps(database, [used(aRollUpSite(), '2026-03-09T10:00:00Z', 0)])
    const months = { from: '2026-03', to: '2026-03' }
    expect(await analytics.monthlyTrends(months)).toMatchObject([{ activeDays: 0, averageDailyEnergyKwh: null }])
    expect(await analytics.monthlyTrends({ from: '2026-05', to: '2026-06' })).toEqual([])
  })

  it.each([
    { from: '2026-13', to: '2026-13' },
    { from: '2026-03', to: '2026-02' },
    { from: '2015-01', to: '2026-02' },
    { from: '9999-12', to: '9999-12' },
  ])('refuse %j', async (question) => {
    await expect(analytics.monthlyTrends(question)).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})

describe('peak usage hours', () => {
  it('are those of local clocks, by energy', async () => {
    const kolkata = aRollUpSite({ timeZone: 'Asia/Kolkata' })
    const berlin = aRollUpSite({ timeZone: 'Europe/Berlin' })
    await writeRollUps(database, [
      used(kolkata, '2026-03-02T03:30:00Z', 1),
      used(berlin, '2026-03-02T08:00:00Z', 2),
      used(berlin, '2026-03-03T08:00:00Z', 2),
      used(berlin, '2026-03-03T10:00:00Z', 1),
    ])
    const hours = [
      { hour: 9, totalEnergyKwh: 5, switchCount: 2, averageEnergyPerSwitchKwh: 2.5 },
      { hour: 11, totalEnergyKwh: 1, switchCount: 1, averageEnergyPerSwitchKwh: 1 },
    ]
    expect(await analytics.peakHours(march)).toEqual(hours)
    expect(await analytics.peakHours({ from: '2026-03-02', to: '2026-03-03' })).toEqual(hours)
    expect(await analytics.peakHours({ from: '2026-02-01', to: '2026-04-02' })).toEqual(hours)
    expect(await analytics.peakHours({ from: '2026-04-01', to: '2026-04-30' })).toEqual([])
  })

  it('count both of an hour that clocks repeat as one hour of the day', async () => {
    const site = aRollUpSite({ timeZone: 'Europe/Berlin' })
    await writeRollUps(database, [used(site, '2026-10-25T00:00:00Z', 1), used(site, '2026-10-25T01:00:00Z', 2)])
    const expected = [{ hour: 2, totalEnergyKwh: 3, switchCount: 1, averageEnergyPerSwitchKwh: 3 }]
    expect(await analytics.peakHours({ from: '2026-10-25', to: '2026-10-25' })).toEqual(expected)
    expect(await analytics.peakHours({ from: '2026-10-01', to: '2026-10-31' })).toEqual(expected)
  })

  it('count a switch once, however many months and days it was on', async () => {
    const site = aRollUpSite()
    const second = { ...site, switchId: new ObjectId() }
    await writeRollUps(database, [
      ...['2026-01-31', '2026-02-05', '2026-03-05', '2026-04-01'].map((day) => used(site, `${day}T10:00:00Z`, 1)),
      used(second, '2026-02-06T10:00:00Z', 2),
    ])
    expect(await analytics.peakHours({ from: '2026-01-31', to: '2026-04-01' })).toEqual([
      { hour: 10, totalEnergyKwh: 6, switchCount: 2, averageEnergyPerSwitchKwh: 3 },
    ])
  })

  it('count a switch once in each device and classroom, in a month as in other days', async () => {
    const site = aRollUpSite()
    const moved = { ...site, device: new ObjectId(), classroom: new ObjectId() }
    await writeRollUps(database, [
      used(site, '2026-03-02T10:00:00Z', 1),
      used(site, '2026-03-03T10:00:00Z', 1),
      used(moved, '2026-03-03T10:00:00Z', 2),
    ])
    const expected = [{ hour: 10, totalEnergyKwh: 4, switchCount: 2, averageEnergyPerSwitchKwh: 2 }]
    expect(await analytics.peakHours(march)).toEqual(expected)
    expect(await analytics.peakHours({ from: '2026-03-01', to: '2026-04-02' })).toEqual(expected)
    expect(await analytics.peakHours({ from: '2026-03-02', to: '2026-03-03' })).toEqual(expected)
    expect(await analytics.dailySummaries({ from: '2026-03-03', to: '2026-03-03' })).toMatchObject([
      { uniqueSwitches: 2 },
    ])
  })

  it('have those in which more was taken away by hand than was used', async () => {
    const site = aRollUpSite()
    await writeRollUps(database, [used(site, '2026-03-02T10:00:00Z', 1), used(site, '2026-03-02T11:00:00Z', -2)])
    const expected = [
      { hour: 10, totalEnergyKwh: 1, switchCount: 1, averageEnergyPerSwitchKwh: 1 },
      { hour: 11, totalEnergyKwh: -2, switchCount: 1, averageEnergyPerSwitchKwh: -2 },
    ]
    expect(await analytics.peakHours(march)).toEqual(expected)
    expect(await analytics.peakHours({ from: '2026-03-02', to: '2026-03-02' })).toEqual(expected)
    expect(await analytics.peakHours({ from: '2026-02-01', to: '2026-04-02' })).toEqual(expected)
  })
})

describe('device efficiency', () => {
  it('is energy, time, switches and mean power of each device, by energy, over a month or other days', async () => {
    const site = aRollUpSite({ name: 'Box 1' })
    const second = { ...site, switchId: new ObjectId() }
    const other = aRollUpSite({ name: 'Box 2' })
    await writeRollUps(database, [
      used(site, '2026-03-02T10:00:00Z', 1),
      used(second, '2026-03-03T10:00:00Z', 1, { onMs: 1_800_000 }),
      used(other, '2026-03-02T10:00:00Z', 4),
    ])
    const expected = [
      {
        deviceId: other.device,
        deviceName: 'Box 2',
        classroom: other.classroom,
        totalEnergyKwh: 4,
        totalDurationHours: 1,
        uniqueSwitches: 1,
        averagePowerW: 4000,
      },
      {
        deviceId: site.device,
        deviceName: 'Box 1',
        classroom: site.classroom,
        totalEnergyKwh: 2,
        totalDurationHours: 1.5,
        uniqueSwitches: 2,
        averagePowerW: 2000 / 1.5,
      },
    ]
    expect(await analytics.deviceEfficiency(march)).toEqual(expected)
    expect(await analytics.deviceEfficiency({ from: '2026-03-02', to: '2026-03-03' })).toEqual(expected)
    expect(await analytics.deviceEfficiency({ ...march, classrooms: [site.classroom] })).toEqual([expected[1]])
  })

  it('comes in pages, whose rows neither repeat nor miss one', async () => {
    const sites = Array.from({ length: 7 }, () => aRollUpSite())
    await writeRollUps(
      database,
      sites.map((site, at) => used(site, '2026-03-02T10:00:00Z', at < 4 ? 1 : at)),
    )
    for (const days of [march, { from: '2026-03-02', to: '2026-03-02' }]) {
      const pages = await Promise.all(
        [1, 2, 3].map((page) => analytics.deviceEfficiencyPage({ ...days, page, limit: 3 })),
      )
      expect(pages.map(({ items }) => items.length)).toEqual([3, 3, 1])
      expect(pages[1]).toMatchObject({ total: 7, page: 2, pages: 3, hasNext: true, hasPrevious: true })
      expect(pages.flatMap(({ items }) => items)).toEqual(await analytics.deviceEfficiency(days))
    }
    expect(await analytics.deviceEfficiencyPage(march)).toMatchObject({ limit: 50, total: 7, pages: 1 })
    const none = { from: '2025-03-01', to: '2025-03-31' }
    expect(await analytics.deviceEfficiencyPage(none)).toMatchObject({ items: [], total: 0, pages: 0, hasNext: false })
  })

  it('has no mean power where nothing was on', async () => {
    await writeRollUps(database, [used(aRollUpSite(), '2026-03-02T10:00:00Z', 0, { onMs: 0 })])
    expect(await analytics.deviceEfficiency(march)).toMatchObject([
      { totalEnergyKwh: 0, totalDurationHours: 0, averagePowerW: null, uniqueSwitches: 0 },
    ])
  })
})

describe('a day at a change of clocks', () => {
  it.each([
    ['2026-03-29', 23],
    ['2026-10-25', 25],
  ])('%s has %i hours in every answer', async (day, hours) => {
    const site = aRollUpSite({ timeZone: 'Europe/Berlin' })
    await writeRollUps(
      database,
      allDay(site, day, () => 1),
    )
    const days = { from: day, to: day }
    expect(await analytics.dailySummaries(days)).toMatchObject([{ totalEnergyKwh: hours }])
    const curve = await analytics.loadCurve({ ...days, timeZone: 'Europe/Berlin' })
    expect(curve).toHaveLength(hours)
    expect(
      curve.every(({ energyKwh, powerW, seconds }) => energyKwh === 1 && powerW === 1000 && seconds === 3600),
    ).toBe(true)
    const peaks = await analytics.peakHours(days)
    expect(peaks.reduce((sum, { totalEnergyKwh }) => sum + totalEnergyKwh * kWh, 0)).toBe(hours * kWh)
  })
})
