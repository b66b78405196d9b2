import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { addDays } from '../days.js'
import { groupBy } from './amounts.js'
import type { DeviceLookup } from './device-lookup.js'
import { type HourLoad, hourlyLoads, type Loads, powerOf } from './hourly-loads.js'
import { daysQuestionSchema } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import { median, robustScore } from './statistics.js'

export const anomaliesSchema = daysQuestionSchema.safeExtend({
  by: z.enum(['classroom', 'device']).default('classroom'),
  /** How many weeks before an hour it is compared with. */
  weeks: z.int().min(4).max(26).default(8),
  /** Robust standard deviations. */
  threshold: z.number().min(1).max(100).default(3.5),
  /** W; loads that differ by less are never far apart. */
  leastPowerW: z.number().min(0).max(1e6).default(10),
  limit: z.int().min(1).max(1000).default(100),
})
export type AnomaliesQuestion = z.input<typeof anomaliesSchema>

/** An hour that is not as the same hour of the same weekday was before. */
export interface Anomaly {
  /** Of the classroom or device. */
  readonly id: ObjectId
  readonly start: Date
  /** 0 to 23, local time. */
  readonly hour: number
  /** ISO weekday: Monday 1 to Sunday 7. */
  readonly weekday: number
  /** W, the mean of the hour. */
  readonly powerW: number
  /** W: the median of the weeks before. */
  readonly expectedPowerW: number
  /** Robust standard deviations from it, negative where less was used. */
  readonly score: number
}

/** Fewer weeks than this are not enough for a comparison. */
const fewestWeeks = 4
const weekMs = 7 * 86_400_000

export async function anomalies(
  reader: RollUpReader,
  lookup: DeviceLookup,
  question: AnomaliesQuestion,
): Promise<Anomaly[]> {
  const { by, weeks, threshold, leastPowerW, limit, ...scope } = validateData(anomaliesSchema, question, 'The question')
  const loads = await hourlyLoads(reader, lookup, { ...scope, from: addDays(scope.from, -7 * weeks) }, by)
  return loads
    .flatMap((one) => anomaliesOf(one, { from: scope.from, weeks, threshold, leastPowerW }))
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score) || a.start.getTime() - b.start.getTime())
    .slice(0, limit)
}

interface Limits {
  readonly from: string
  readonly weeks: number
  readonly threshold: number
  readonly leastPowerW: number
}

function anomaliesOf({ id, byStart }: Loads, limits: Limits): Anomaly[] {
  const alike = groupBy(byStart.values(), ({ hour }) => `${hour.weekday} ${hour.hourOfDay}`)
  return [...alike.values()].flatMap((hours) => {
    const asked = hours.filter(({ hour }) => hour.day >= limits.from)
    return asked.flatMap((load) => anomalyOf(id, load, hours, limits) ?? [])
  })
}

function anomalyOf(id: ObjectId, load: HourLoad, alike: readonly HourLoad[], limits: Limits): Anomaly | undefined {
  const { startMs, hourOfDay: hour, weekday } = load.hour
  // A clock that was changed meanwhile moves the hour by less than a day.
  const sinceMs = startMs - (limits.weeks + 0.5) * weekMs
  const before = alike.filter((other) => other.hour.startMs > sinceMs && other.hour.startMs < startMs - weekMs / 2)
  if (before.length < fewestWeeks) return undefined
  const powers = before.map(powerOf)
  const powerW = powerOf(load)
  const score = robustScore(powerW, powers, limits.leastPowerW)
  if (Math.abs(score) < limits.threshold) return undefined
  return { id, start: new Date(startMs), hour, weekday, powerW, expectedPowerW: median(powers), score }
}
