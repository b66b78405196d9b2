import { type AutoVolt, validateData } from '@autovolt/data'
import { z } from 'zod'
import { civilDay } from '../civil-days.js'
import { roomNames, timeZone } from '../simulator/school-plan.js'

const id = () => z.string().regex(/^[0-9a-f]{24}$/)
const question = z.strictObject({
  period: z.enum(['day', 'month', 'year']),
  day: z.iso.date(),
  room: id().optional(),
})
type Period = z.output<typeof question>['period']

const shownConsumers = 5
const shownAnomalies = 6
const forecastDays = 7
const comparedWeeks = 4

interface Point {
  /** An hour, a day or a month: `7`, `2026-03-01`, `2026-03`. */
  readonly at: string
  readonly energyKwh: number
}

/** A day, month or year of the school or of one room: what was used when, and by what. */
export async function readPeriod(volt: AutoVolt, query: URLSearchParams) {
  const { period, day, room } = validateData(question, Object.fromEntries(query), 'The request')
  const rooms = { classrooms: room === undefined ? [...roomNames] : [room] }
  const scope = { ...daysOf(period, day), ...rooms }
  const [points, comparison, consumers] = await Promise.all([
    pointsOf(volt, period, scope),
    volt.analytics.compareWithPrevious(scope),
    volt.analytics.topConsumers({ ...scope, by: 'device', limit: shownConsumers }),
  ])
  const devices = await volt.devices.find({}, { select: ['name'], limit: 1_000 })
  const nameOf = new Map(devices.map(({ _id, name }) => [_id.toHexString(), name]))
  const { current, energyChangePercent } = comparison
  return {
    period,
    ...daysOf(period, day),
    points,
    energyKwh: current.totalEnergyKwh,
    productionKwh: current.totalProductionKwh,
    cost: current.totalCost,
    currency: current.currency,
    changePercent: energyChangePercent,
    consumers: consumers.map((one) => ({
      name: nameOf.get(one.id.toHexString()) ?? 'a device that is gone',
      energyKwh: one.totalEnergyKwh,
      sharePercent: one.sharePercent,
    })),
  }
}

/** What is to come, what stands out, and what is used while nothing goes on, of the school or of one room. */
export async function readOutlook(volt: AutoVolt, query: URLSearchParams) {
  const { room } = validateData(question.pick({ room: true }), Object.fromEntries(query), 'The request')
  const rooms = { classrooms: room === undefined ? [...roomNames] : [room] }
  const month = daysOf('month', civilDay(new Date()))
  const [forecast, anomalies, idle, classrooms] = await Promise.all([
    volt.analytics.forecast({ ...rooms, days: forecastDays, weeks: comparedWeeks }),
    volt.analytics.anomalies({ ...month, ...rooms, weeks: comparedWeeks, limit: shownAnomalies }),
    volt.analytics.idleUse({ ...month, ...rooms }),
    volt.classrooms.find({}, { select: ['name'] }),
  ])
  const nameOf = new Map(classrooms.map(({ _id, name }) => [_id.toHexString(), name]))
  return {
    timeZone,
    comparedWeeks,
    days: forecast.days.map(({ day, totalEnergyKwh }) => ({ at: day, energyKwh: totalEnergyKwh })),
    errorPercent: forecast.error?.meanAbsoluteErrorPercent ?? null,
    anomalies: anomalies.map(({ id: of, start, powerW, expectedPowerW }) => ({
      room: nameOf.get(of.toHexString()) ?? 'a room that is gone',
      start,
      powerW,
      expectedPowerW,
    })),
    idle: idle.map((one) => ({
      room: nameOf.get(one.classroom.toHexString()) ?? 'a room that is gone',
      floorPowerW: one.floorPowerW,
      energyKwh: one.idleEnergyKwh,
      percent: one.idlePercent,
    })),
  }
}

function daysOf(period: Period, day: string): { readonly from: string; readonly to: string } {
  const [year = 0, month = 0] = day.split('-').map(Number)
  if (period === 'day') return { from: day, to: day }
  if (period === 'year') return { from: `${day.slice(0, 4)}-01-01`, to: `${day.slice(0, 4)}-12-31` }
  const last = new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10)
  return { from: `${day.slice(0, 7)}-01`, to: last }
}

async function pointsOf(
  volt: AutoVolt,
  period: Period,
  scope: { readonly from: string; readonly to: string; readonly classrooms?: string[] },
): Promise<Point[]> {
  if (period === 'day') {
    const points = await volt.analytics.loadCurve({ ...scope, timeZone })
    return points.map(({ energyKwh }, hour) => ({ at: String(hour), energyKwh }))
  }
  if (period === 'month') {
    const days = await volt.analytics.dailySummaries(scope)
    return days.map(({ day, totalEnergyKwh }) => ({ at: day, energyKwh: totalEnergyKwh }))
  }
  const months = await volt.analytics.costs({ ...scope, by: 'month' })
  return months.map(({ period: at, totalEnergyKwh }) => ({ at, energyKwh: totalEnergyKwh }))
}
