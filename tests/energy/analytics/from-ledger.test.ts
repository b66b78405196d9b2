import { expect, it } from 'vitest'
import { aSite, eventsOf } from '../support/site.js'
import { analyticsDatabase } from './support/analytics.js'

const { volt, analytics } = await analyticsDatabase()

it('answers are those of the entries that the updater has rolled up', async () => {
  const { room, device, event } = await aSite(volt, { timeZone: 'Asia/Kolkata' })
  await volt.tariffs.set({ startsAt: '2026-01-01T00:00:00Z', currency: 'INR', pricePerKwh: 7.5 })
  await volt.ledger.append([
    event.rated('2026-03-02T03:30:00Z', true),
    event.rated('2026-03-02T05:00:00Z', false),
    event.rated('2026-03-02T18:00:00Z', true),
    event.rated('2026-03-02T19:00:00Z', false),
  ])
  await volt.rollUps.update()
  const march = { from: '2026-03-01', to: '2026-03-31' }
  expect(await analytics.dailyByClassroom(march)).toMatchObject([
    { day: '2026-03-02', classroom: room, totalEnergyKwh: 2, totalCost: 15, currency: 'INR', uniqueSwitches: 1 },
    { day: '2026-03-03', totalEnergyKwh: 0.5, totalCost: 3.75 },
  ])
  const peaks = [
    { hour: 9, totalEnergyKwh: 1 },
    { hour: 0, totalEnergyKwh: 0.5 },
    { hour: 10, totalEnergyKwh: 0.5 },
    { hour: 23, totalEnergyKwh: 0.5 },
  ]
  expect(await analytics.peakHours(march)).toMatchObject(peaks)
  expect(await analytics.peakHours({ from: '2026-03-02', to: '2026-03-03' })).toMatchObject(peaks)
  expect(await analytics.deviceEfficiency(march)).toMatchObject([
    { deviceId: device._id, totalEnergyKwh: 2.5, totalDurationHours: 2.5, averagePowerW: 1000, uniqueSwitches: 1 },
  ])
  const months = { from: '2026-03', to: '2026-03' }
  expect(await analytics.monthlyTrends(months)).toMatchObject([
    { totalEnergyKwh: 2.5, totalCost: 18.75, activeDays: 2 },
  ])
  const hourly = await analytics.loadCurve({ ...march, to: '2026-03-03' })
  const quarters = await analytics.loadCurve({ ...march, to: '2026-03-03', resolution: '30min' })
  const sum = (points: typeof hourly) => points.reduce((total, { energyKwh }) => total + energyKwh, 0)
  expect([sum(hourly), sum(quarters)]).toEqual([2.5, 2.5])
})

it('energy that was adjusted by hand is no load', async () => {
  const { device, event, room } = await aSite(volt)
  await volt.ledger.append([
    event.power('2026-03-30T10:00:00Z', 1000),
    event.power('2026-03-30T12:00:00Z', 0),
    event.power('2026-03-31T00:00:00Z', 0),
    event.adjustment('2026-03-30T11:30:00Z', { energyWs: 3_600_000, productionWs: 0, cost: 0 }),
  ])
  await volt.rollUps.update()
  const performance = await analytics.devicePerformance({ device: device._id })
  expect(performance).toMatchObject({ totalEnergyKwh: 3, peakPowerW: 1000, peakAt: new Date('2026-03-30T10:00:00Z') })
  const days = { from: '2026-03-30', to: '2026-03-30', classrooms: [room] }
  expect(await analytics.idleUse({ ...days, tolerancePercent: 0 })).toMatchObject([{ floorPowerW: 0, hours: 14 }])
})

it.each(['15min', 'hour'] as const)('the curve has the same energy at any resolution (%s)', async (resolution) => {
  const [left, entered] = [await aSite(volt), await aSite(volt)]
  const { device, event } = left
  const moved = eventsOf({ ...device, classroom: entered.room })
  await volt.ledger.append([
    event.power('2026-03-30T10:00:00Z', 1000),
    moved.power('2026-03-30T11:30:00Z', 500),
    moved.power('2026-03-30T12:00:00Z', 0),
    event.adjustment('2026-03-30T11:00:00Z', { energyWs: 900_000, productionWs: 360_000, cost: 0 }),
    entered.event.rated('2026-03-30T10:00:00Z', true),
  ])
  await volt.rollUps.update()
  await volt.devices.update(device._id, { classroom: entered.room, switches: [] })
  await volt.devices.update(entered.device._id, { lastSignOfLifeAt: new Date('2026-03-30T20:00:00Z') })
  const day = { from: '2026-03-30', to: '2026-03-30', resolution }
  const sums = async (scope: object) => {
    const points = await analytics.loadCurve({ ...day, ...scope })
    const sum = (of: (point: (typeof points)[number]) => number) =>
      points.reduce((total, point) => total + Math.round(of(point) * 1e6), 0) / 1e6
    return [
      sum(({ energyKwh }) => energyKwh),
      sum(({ productionKwh }) => productionKwh),
      Math.max(...points.map(({ powerW }) => powerW)),
    ]
  }
  expect(await sums({ classrooms: [left.room] })).toEqual([1.75, 0.1, 1000])
  expect(await sums({ classrooms: [entered.room] })).toEqual([0.25, 0, resolution === 'hour' ? 250 : 500])
  expect((await sums({ devices: [device._id] })).slice(0, 2)).toEqual([2, 0.1])
  expect((await sums({ devices: [entered.device._id] })).slice(0, 2)).toEqual([0, 0])
})
