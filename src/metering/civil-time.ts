import { civilMonthOf, nextDayChange } from './civil-days.js'
import { offsetsOf } from './time-zone.js'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** The civil units that energy is shown by. */
export type CivilUnit = 'hour' | 'day' | 'month'

/**
 * The start of the civil hour, epoch milliseconds, that an instant belongs to. Hours start where local time has minute zero,
 * and where the zone's offset changes: none is longer than an hour, and one that is repeated is an hour of its own.
 *
 * @throws RangeError if the zone is not known.
 */
export function civilHourStart(instantMs: number, timeZone: string): number {
  const { offsetAt, changesBetween } = offsetsOf(timeZone)
  const startMs = instantMs - sinceFullHour(instantMs + offsetAt(instantMs))
  return changesBetween(startMs, instantMs).at(-1)?.atMs ?? startMs
}

/**
 * The start of the civil hour after the one that an instant belongs to, epoch milliseconds.
 *
 * @throws RangeError if the zone is not known.
 */
export function nextCivilHour(instantMs: number, timeZone: string): number {
  const { offsetAt, changesBetween } = offsetsOf(timeZone)
  const endMs = instantMs - sinceFullHour(instantMs + offsetAt(instantMs)) + HOUR_MS
  return changesBetween(instantMs, endMs)[0]?.atMs ?? endMs
}

/**
 * The hour that clocks in the zone show at an instant (epoch milliseconds), 0 to 23.
 *
 * @throws RangeError if the zone is not known.
 */
export function hourOfDay(instantMs: number, timeZone: string): number {
  const localMs = instantMs + offsetsOf(timeZone).offsetAt(instantMs)
  return Math.floor((localMs - Math.floor(localMs / DAY_MS) * DAY_MS) / HOUR_MS)
}

/**
 * The instants inside a stretch of time, epoch milliseconds, ascending, at which another civil hour, day or month starts, or
 * is gone on with.
 *
 * @throws RangeError if the zone is not known.
 */
export function cutsBetween(fromMs: number, toMs: number, timeZone: string, unit: CivilUnit): number[] {
  if (!(toMs > fromMs)) return []
  const cuts: number[] = []
  for (let cutMs = nextStart(fromMs, timeZone, unit); cutMs < toMs; cutMs = nextStart(cutMs, timeZone, unit)) {
    cuts.push(cutMs)
  }
  return cuts
}

function nextStart(instantMs: number, timeZone: string, unit: CivilUnit): number {
  if (unit === 'hour') return nextCivilHour(instantMs, timeZone)
  let changeMs = nextDayChange(instantMs, timeZone)
  if (unit === 'day') return changeMs
  const month = civilMonthOf(instantMs, timeZone)
  while (civilMonthOf(changeMs, timeZone) === month) changeMs = nextDayChange(changeMs, timeZone)
  return changeMs
}

function sinceFullHour(localMs: number): number {
  return localMs - Math.floor(localMs / HOUR_MS) * HOUR_MS
}
