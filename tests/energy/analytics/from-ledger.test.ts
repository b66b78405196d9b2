import { expect, it } from 'vitest'
import { aSite } from '../support/site.js'
import { analyticsDatabase } from './support/analytics.js'

const { volt, analytics } = await analyticsDatabase()

it('answers are those of the entries that the keeper has rolled up', async () => {
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
    { day: '2026-03-02', classroom: room, totalEnergy: 2, totalCost: 15, currency: 'INR', uniqueSwitches: 1 },
    { day: '2026-03-03', totalEnergy: 0.5, totalCost: 3.75 },
  ])
  const peaks = [
    { hour: 9, totalEnergy: 1 },
    { hour: 0, totalEnergy: 0.5 },
    { hour: 10, totalEnergy: 0.5 },
    { hour: 23, totalEnergy: 0.5 },
  ]
  expect(await analytics.peakHours(march)).toMatchObject(peaks)
  expect(await analytics.peakHours({ from: '2026-03-02', to: '2026-03-03' })).toMatchObject(peaks)
  expect(await analytics.deviceEfficiency(march)).toMatchObject([
    { deviceId: device._id, totalEnergy: 2.5, totalDurationHours: 2.5, averagePower: 1000, uniqueSwitches: 1 },
  ])
  const months = { from: '2026-03', to: '2026-03' }
  expect(await analytics.monthlyTrends(months)).toMatchObject([{ totalEnergy: 2.5, totalCost: 18.75, activeDays: 2 }])
  const hourly = await analytics.loadCurve({ ...march, to: '2026-03-03' })
  const quarters = await analytics.loadCurve({ ...march, to: '2026-03-03', resolution: '30min' })
  const sum = (points: typeof hourly) => points.reduce((total, { energy }) => total + energy, 0)
  expect([sum(hourly), sum(quarters)]).toEqual([2.5, 2.5])
})

it('energy that was adjusted by hand is no load', async () => {
  const { device, event, room } = await aSite(volt)
  await volt.ledger.append([
    event.power('2026-03-30T10:00:00Z', 1000),
    event.power('2026-03-30T12:00:00Z', 0),
    event.power('2026-03-31T00:00:00Z', 0),
    event.power('2026-03-30T11:30:00Z', 0, {
      eventType: 'manual_adjustment',
      reading: undefined,
      adjustment: { energyWs: 3_600_000, productionWs: 0, cost: 0 },
    }),
  ])
  await volt.rollUps.update()
  const performance = await analytics.devicePerformance({ device: device._id })
  expect(performance).toMatchObject({ totalEnergy: 3, peakPower: 1000, peakAt: new Date('2026-03-30T10:00:00Z') })
  const days = { from: '2026-03-30', to: '2026-03-30', classrooms: [room] }
  expect(await analytics.idleUse({ ...days, tolerancePercent: 0 })).toMatchObject([{ floorPower: 0, hours: 14 }])
})
