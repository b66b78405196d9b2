import { describe, expect, it } from 'vitest'
import type { ForecastQuestion } from '../../../src/energy/analytics/forecast.js'
import { aSite } from '../support/site.js'
import { analyticsDatabase } from './support/analytics.js'
import { allDay, aRollUpSite, kWh, type Site, type Use, used, writeRollUps } from './support/roll-ups.js'

const { database, volt, analytics } = await analyticsDatabase()

/** Every hour of some days from this one on. */
function daysOf(site: Site, firstDay: string, days: number, kwhAt: (hour: number, day: number) => number): Use[] {
  return Array.from({ length: days }, (_, at) => {
    const day = new Date(Date.parse(firstDay) + at * 86_400_000).toISOString().slice(0, 10)
    return allDay(site, day, (hour) => kwhAt(hour, at))
  }).flat()
}

describe('the load curve', () => {
  it('has every hour of the days, from the roll-ups', async () => {
    const site = aRollUpSite()
    await writeRollUps(database, [
      used(site, '2026-03-01T23:00:00Z', 9),
      used(site, '2026-03-02T10:00:00Z', 1.5, { productionMws: kWh / 2 }),
    ])
    const curve = await analytics.loadCurve({ from: '2026-03-02', to: '2026-03-02' })
    expect(curve).toHaveLength(24)
    expect(curve[10]).toEqual({
      start: new Date('2026-03-02T10:00:00Z'),
      seconds: 3600,
      energyKwh: 1.5,
      productionKwh: 0.5,
      powerW: 1500,
    })
    expect(curve.filter(({ energyKwh }) => energyKwh > 0)).toHaveLength(1)
  })

  it('spreads the hours of a zone that begin at other minutes, and loses nothing', async () => {
    const site = aRollUpSite({ timeZone: 'Asia/Kolkata' })
    await writeRollUps(database, [{ site, at: '2026-03-02T09:30:00Z', energyMws: 7 }])
    const utc = await analytics.loadCurve({ from: '2026-03-02', to: '2026-03-02', timeZone: 'UTC' })
    const mws = utc.map(({ energyKwh }) => Math.round(energyKwh * kWh))
    expect([mws[9], mws[10]]).toEqual([4, 3])
    expect(mws.reduce((sum, one) => sum + one, 0)).toBe(7)
  })

  it('is of the zone that the classrooms share', async () => {
    const { room, device } = await aSite(volt, { timeZone: 'Asia/Kolkata' })
    const days = { from: '2026-03-02', to: '2026-03-02' }
    for (const scope of [{ classrooms: [room] }, { devices: [device._id] }, {}]) {
      expect((await analytics.loadCurve({ ...days, ...scope }))[0]?.start).toEqual(new Date('2026-03-01T18:30:00Z'))
    }
    await aSite(volt, { timeZone: 'Europe/Berlin' })
    expect((await analytics.loadCurve(days))[0]?.start).toEqual(new Date('2026-03-02T00:00:00Z'))
  })

  it('is finer than an hour from the ledger', async () => {
    const { device, event, room } = await aSite(volt)
    await volt.ledger.append([
      event.power('2026-03-02T10:05:00Z', 600),
      event.power('2026-03-02T10:35:00Z', -1200),
      event.power('2026-03-02T10:40:00Z', 0),
    ])
    await volt.rollUps.update()
    const quarters = await analytics.loadCurve({
      from: '2026-03-02',
      to: '2026-03-02',
      resolution: '15min',
      classrooms: [room],
      devices: [device._id],
    })
    expect(quarters).toHaveLength(96)
    expect(
      quarters.slice(40, 44).map(({ energyKwh, productionKwh, powerW }) => [energyKwh, productionKwh, powerW]),
    ).toEqual([
      [0.1, 0, 400],
      [0.15, 0, 600],
      [0.05, 0.1, 200],
      [0, 0, 0],
    ])
  })

  it('has at most ten thousand points', async () => {
    const question = { from: '2026-01-01', to: '2026-12-31', resolution: '15min' } as const
    await expect(analytics.loadCurve(question)).rejects.toMatchObject({ issues: [{ path: 'resolution' }] })
    expect(await analytics.loadCurve({ ...question, resolution: 'hour' })).toHaveLength(8760)
  })
})

describe('idle use', () => {
  it('is what flows in the hours in which a classroom stays at its floor', async () => {
    const site = aRollUpSite({ pricePerKwh: 0.5 })
    const beside = aRollUpSite({ classroom: site.classroom })
    const lit = aRollUpSite()
    await writeRollUps(database, [
      ...daysOf(site, '2026-03-02', 2, (hour) => (hour >= 8 && hour < 18 ? 1 : 0.1)),
      ...daysOf(beside, '2026-03-02', 2, (hour) => (hour >= 8 && hour < 18 ? 1 : 0)),
      ...daysOf(lit, '2026-03-02', 1, (hour) => (hour >= 8 && hour < 18 ? 1 : 0)),
    ])
    expect(await analytics.idleUse({ from: '2026-03-02', to: '2026-03-03' })).toEqual([
      {
        classroom: site.classroom,
        floorPowerW: 100,
        hours: 48,
        idleHours: 28,
        idleEnergyKwh: 2.8,
        idlePercent: (100 * 2.8) / 42.8,
        totalCost: 1.4,
        currency: 'EUR',
        costs: [{ currency: 'EUR', amount: 1.4 }],
      },
      expect.objectContaining({
        classroom: lit.classroom,
        floorPowerW: 0,
        idleHours: 0,
        idleEnergyKwh: 0,
        totalCost: 0,
      }),
    ])
  })
})

describe('anomalies', () => {
  const march9 = { from: '2026-03-09', to: '2026-03-09' }

  it('are hours that differ from the same hour of the same weekday before', async () => {
    const site = aRollUpSite({ timeZone: 'Europe/Berlin' })
    const usual = daysOf(site, '2026-01-05', 63, (hour, day) => (hour === 9 && day % 7 === 0 ? 1 : 0.1))
    const monday = allDay(site, '2026-03-09', (hour) => (hour === 3 ? 2 : hour === 9 ? 0 : 0.1))
    await writeRollUps(database, [...usual, ...monday])
    const found = await analytics.anomalies(march9)
    expect(found).toEqual([
      {
        id: site.classroom,
        start: new Date('2026-03-09T02:00:00Z'),
        hour: 3,
        weekday: 1,
        powerW: 2000,
        expectedPowerW: 100,
        score: 190,
      },
      expect.objectContaining({ hour: 9, powerW: 0, expectedPowerW: 1000, score: -100 }),
    ])
    expect(await analytics.anomalies({ ...march9, by: 'device', limit: 1 })).toMatchObject([
      { id: site.device, hour: 3 },
    ])
    expect(await analytics.anomalies({ ...march9, leastPowerW: 1000 })).toEqual([])
  })

  it('take the spread of the weeks before as their measure', async () => {
    const site = aRollUpSite()
    const weeks = [500, 550, 450, 600, 400, 500, 520, 480].map((watts, week) =>
      used(site, new Date(Date.parse('2026-01-12T10:00:00Z') + week * 7 * 86_400_000).toISOString(), watts / 1000),
    )
    await writeRollUps(database, [...weeks, used(site, '2026-03-09T10:00:00Z', 0.7)])
    const [anomaly, ...others] = await analytics.anomalies({ ...march9, threshold: 2 })
    // The median of the distances from 500 W is 35 W.
    expect(anomaly?.score).toBeCloseTo(200 / (1.4826 * 35), 10)
    expect(others).toEqual([])
    expect(await analytics.anomalies({ ...march9, threshold: 4 })).toEqual([])
  })

  it('are not told of what is known for too short', async () => {
    const site = aRollUpSite()
    await writeRollUps(database, [
      ...['2026-02-16', '2026-02-23', '2026-03-02'].map((day) => used(site, `${day}T10:00:00Z`, 0.1)),
      used(site, '2026-03-09T10:00:00Z', 9),
    ])
    expect(await analytics.anomalies(march9)).toEqual([])
  })
})

describe('the forecast', () => {
  it('is the mean of the same weekday, with its error on days that are known', async () => {
    const site = aRollUpSite()
    // From a Monday, five weeks up to yesterday: Mondays 7 kWh, the last one 14, Sundays nothing.
    const uses = Array.from({ length: 35 }, (_, at) => {
      const day = new Date(Date.parse('2026-02-24T10:00:00Z') + at * 86_400_000)
      const weekday = day.getUTCDay()
      const kwh = weekday === 1 ? (at === 34 ? 14 : 7) : weekday === 0 ? 0 : 2
      return used(site, day.toISOString(), kwh)
    })
    await writeRollUps(database, uses)
    const forecast = await analytics.forecast({ days: 7, heldOutDays: 7 })
    expect(forecast.method).toBe('mean of the same weekday')
    expect(forecast.days).toEqual([
      { day: '2026-03-31', totalEnergyKwh: 2 },
      { day: '2026-04-01', totalEnergyKwh: 2 },
      { day: '2026-04-02', totalEnergyKwh: 2 },
      { day: '2026-04-03', totalEnergyKwh: 2 },
      { day: '2026-04-04', totalEnergyKwh: 2 },
      { day: '2026-04-05', totalEnergyKwh: 0 },
      { day: '2026-04-06', totalEnergyKwh: (14 + 3 * 7) / 4 },
    ])
    expect(forecast.error).toEqual({ days: 7, meanAbsoluteErrorKwh: 1, meanAbsoluteErrorPercent: 50 / 6 })
  })

  it('takes a day as known when it has ended in every zone of the question', async () => {
    const ahead = await aSite(volt, { timeZone: 'Pacific/Kiritimati' })
    const behind = await aSite(volt, { timeZone: 'Europe/Berlin' })
    const firstDay = async (scope: ForecastQuestion) => (await analytics.forecast({ days: 1, ...scope })).days[0]?.day
    expect(await firstDay({})).toBe('2026-03-31')
    expect(await firstDay({ classrooms: [ahead.room] })).toBe('2026-04-01')
    expect(await firstDay({ devices: [ahead.device._id] })).toBe('2026-04-01')
    expect(await firstDay({ devices: [behind.device._id] })).toBe('2026-03-31')
    // The device has been in the other classroom this morning.
    const moved = aRollUpSite({ device: ahead.device._id, classroom: behind.room, timeZone: 'Europe/Berlin' })
    await writeRollUps(database, [used(moved, '2026-03-31T06:00:00Z', 1)])
    expect(await firstDay({ devices: [ahead.device._id] })).toBe('2026-03-31')
  })

  it('knows nothing of nothing', async () => {
    expect(await analytics.forecast({ days: 1 })).toEqual({
      method: 'mean of the same weekday',
      days: [{ day: '2026-03-31', totalEnergyKwh: null }],
      error: null,
      completeUntil: expect.any(Date),
    })
  })
})

describe('line protocol', () => {
  it.each([' ', '\\', 'energy\\', 'energy\\ ', '#energy', ''])('refuses the measurement %j', async (measurement) => {
    const lines = analytics.lineProtocol({ from: '2026-03-02', to: '2026-03-02', measurement })
    await expect(lines.next()).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path: 'measurement' }] })
  })

  it('has a line for each switch and hour, escaped', async () => {
    const site = aRollUpSite({ name: 'Box, 1=\\\n' })
    await writeRollUps(database, [
      used(site, '2026-03-02T10:00:00Z', 1.5, { productionMws: 3 }),
      used(site, '2026-03-02T11:00:00Z', 0),
    ])
    const question = { from: '2026-03-02', to: '2026-03-02', measurement: 'my energy' }
    let lines = ''
    for await (const chunk of analytics.lineProtocol(question)) lines += chunk
    const tags = `classroom=${site.classroom},device=${site.device},device_name=Box\\,\\ 1\\=,switch=${site.switchId}`
    expect(lines).toBe(
      `my\\ energy,${tags},switch_name=Heater energy_mws=5400000000i,mean_power_w=1500,production_mws=3i 1772445600000000000\n`,
    )
  })
})
