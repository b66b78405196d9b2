import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import { addDays, datesBetween } from '../days.js'
import { groupBy, sumOf } from './amounts.js'
import { consumersPipeline, dailySummaryPipeline } from './daily-pipelines.js'
import type { DeviceLookup } from './device-lookup.js'
import { dayBefore9999, energyScopeSchema, type ParsedScope } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'

export const forecastSchema = energyScopeSchema.extend({
  /** How many days to come. */
  days: z.int().min(1).max(28).default(7),
  /** Of how many weeks the mean is taken. */
  weeks: z.int().min(1).max(12).default(4),
  /** On how many of the last days the method is tried. */
  heldOutDays: z.int().min(1).max(90).default(28),
  /** The last day that is known in full; the last that has ended in all zones of the question if left out. */
  knownTo: dayBefore9999().optional(),
})
export type ForecastQuestion = z.input<typeof forecastSchema>

/** Forecast error: how far the method was off on days that it did not know. */
export interface ForecastError {
  /** On how many days it could be tried. */
  readonly days: number
  /** The mean absolute error, kWh. */
  readonly meanAbsoluteErrorKwh: number
  /** The mean absolute error in percent, over days on which energy was used; null where there is none. */
  readonly meanAbsoluteErrorPercent: number | null
}

export interface Forecast {
  readonly method: 'mean of the same weekday'
  /** kWh; null where no such weekday is known. */
  readonly days: readonly { readonly day: string; readonly totalEnergyKwh: number | null }[]
  /** Null where nothing could be tried. */
  readonly error: ForecastError | null
}

/** kWh by day. */
export type DailyEnergy = ReadonlyMap<string, number>

export async function forecast(
  reader: RollUpReader,
  lookup: DeviceLookup,
  question: ForecastQuestion,
): Promise<Forecast> {
  const { days, weeks, heldOutDays, knownTo, ...scope } = validateData(forecastSchema, question, 'The question')
  const to = knownTo ?? lookup.lastEndedDay(await zonesOf(reader, lookup, scope))
  const from = addDays(to, 1 - heldOutDays - 7 * (weeks + Math.ceil(days / 7)))
  const rows = await reader.daily(dailySummaryPipeline({ ...scope, from, to }))
  const known = withoutGaps(
    new Map([...groupBy(rows, ({ day }) => day)].map(([day, group]) => [day, sumOf(group, (row) => row.energy_mws)])),
    to,
  )
  return {
    method: 'mean of the same weekday',
    days: datesBetween(addDays(to, 1), addDays(to, days)).map((day) => ({
      day,
      totalEnergyKwh: meanOfWeekday(known, day, to, weeks),
    })),
    error: errorOn(known, addDays(to, 1 - heldOutDays), to, { days, weeks }),
  }
}

/** The zones that the days of the question are in; of devices also those that they have just been in. */
async function zonesOf(reader: RollUpReader, lookup: DeviceLookup, scope: ParsedScope): Promise<Set<string>> {
  if (scope.devices === undefined) return lookup.timeZones(scope.classrooms)
  const today = new Date(lookup.nowMs).toISOString().slice(0, 10)
  const running = { ...scope, from: addDays(today, -1), to: addDays(today, 1) }
  const [devices, lately] = await Promise.all([
    lookup.devices(scope),
    reader.daily(consumersPipeline(running, 'classroom')),
  ])
  return lookup.timeZones([...devices.flatMap(({ classroom }) => classroom ?? []), ...lately.map(({ key }) => key)])
}

/** kWh by day; between the first day that is known and the last, one without roll-ups used nothing. */
function withoutGaps(mwsByDay: ReadonlyMap<string, number>, to: string): DailyEnergy {
  const [first] = [...mwsByDay.keys()].sort()
  if (first === undefined) return new Map()
  return new Map(datesBetween(first, to).map((day) => [day, kwhFromMws(mwsByDay.get(day) ?? 0)]))
}

/** The mean of the last weeks' same weekdays up to the last day that is known; null if none of them is. */
function meanOfWeekday(known: DailyEnergy, day: string, lastKnown: string, weeks: number): number | null {
  let latest = addDays(day, -7)
  while (latest > lastKnown) latest = addDays(latest, -7)
  const found = Array.from({ length: weeks }, (_, at) => known.get(addDays(latest, -7 * at))).filter(
    (energy) => energy !== undefined,
  )
  return found.length === 0 ? null : sumOf(found, (energy) => energy) / found.length
}

/** Forecasts each of some known days as far ahead as the furthest day that is asked for, and compares. */
function errorOn(
  known: DailyEnergy,
  from: string,
  to: string,
  { days, weeks }: { readonly days: number; readonly weeks: number },
): ForecastError | null {
  const errors = datesBetween(from, to).flatMap((day) => {
    const actual = known.get(day)
    const expected = meanOfWeekday(known, day, addDays(day, -days), weeks)
    return actual === undefined || expected === null ? [] : [{ actual, error: Math.abs(expected - actual) }]
  })
  if (errors.length === 0) return null
  const used = errors.filter(({ actual }) => actual > 0)
  return {
    days: errors.length,
    meanAbsoluteErrorKwh: sumOf(errors, ({ error }) => error) / errors.length,
    meanAbsoluteErrorPercent:
      used.length === 0 ? null : (100 * sumOf(used, ({ actual, error }) => error / actual)) / used.length,
  }
}
