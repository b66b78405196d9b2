import { offsetsOf } from './time-zone.js'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** More than any zone is or was away from UTC (Manila, until 1844, by 15:56). */
const LARGEST_OFFSET_MS = 16 * HOUR_MS
/** More than any clock was ever put back (Alaska, in 1867, by a day). */
const LARGEST_STEP_BACK_MS = 25 * HOUR_MS

/** The civil units that energy is shown by. */
export type CivilUnit = 'hour' | 'day' | 'month'

/**
 * The civil day, `YYYY-MM-DD`, that an instant (epoch milliseconds) belongs to in a zone. Days follow one another without
 * overlap: where a clock is put back across midnight, the repeated time stays with the new day.
 *
 * @throws RangeError if the zone is not known, or the instant beyond the year 9999.
 */
export function civilDayOf(instantMs: number, timeZone: string): string {
  const { offsetAt } = offsetsOf(timeZone)
  const offsetMs = offsetAt(instantMs)
  const dayNumber = Math.floor((instantMs + offsetMs) / DAY_MS)
  const wasPutBack = offsetAt(instantMs - LARGEST_STEP_BACK_MS) > offsetMs
  const isNextDay = wasPutBack && startOfDayNumber(dayNumber + 1, timeZone) <= instantMs
  return dayText(isNextDay ? dayNumber + 1 : dayNumber)
}

/**
 * The first instant of a civil day, epoch milliseconds. A day whose midnight does not exist starts at its first instant that
 * does; a day that does not exist at all (2011-12-30 in Apia) starts, and ends, where the next one starts.
 *
 * @throws RangeError if the day is not a date `YYYY-MM-DD`, or the zone not known.
 */
export function startOfCivilDay(day: string, timeZone: string): number {
  return startOfDayNumber(dayNumberOf(day), timeZone)
}

/**
 * The civil day after another one in a zone; days that do not exist there are left out.
 *
 * @throws RangeError if the day is not a date `YYYY-MM-DD`, or the zone not known.
 */
export function nextCivilDay(day: string, timeZone: string): string {
  let next = dayNumberOf(day) + 1
  while (startOfDayNumber(next, timeZone) === startOfDayNumber(next + 1, timeZone)) next += 1
  return dayText(next)
}

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
 * The civil month, `YYYY-MM`, that an instant belongs to in a zone.
 *
 * @throws RangeError if the zone is not known, or the instant beyond the year 9999.
 */
export function civilMonthOf(instantMs: number, timeZone: string): string {
  return civilDayOf(instantMs, timeZone).slice(0, 7)
}

/**
 * The first instant of a civil month, epoch milliseconds.
 *
 * @throws RangeError if the month is not of the form `YYYY-MM`, or the zone not known.
 */
export function startOfCivilMonth(month: string, timeZone: string): number {
  return startOfCivilDay(`${month}-01`, timeZone)
}

/**
 * The civil month after another one.
 *
 * @throws RangeError if the month is not of the form `YYYY-MM`.
 */
export function nextCivilMonth(month: string): string {
  // The 32nd day from a month's first is always in the next month.
  return dayText(dayNumberOf(`${month}-01`) + 31).slice(0, 7)
}

/**
 * The instants inside a stretch of time, epoch milliseconds, ascending, at which a new civil hour, day or month starts.
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

/** The first instant, epoch milliseconds, at which clocks in the zone show this local time or a later one. */
function firstInstantOf(localMs: number, timeZone: string): number {
  const { offsetAt, changesBetween } = offsetsOf(timeZone)
  let sinceMs = localMs - LARGEST_OFFSET_MS
  let offsetMs = offsetAt(sinceMs)
  for (const change of changesBetween(sinceMs, localMs + LARGEST_OFFSET_MS)) {
    const instantMs = Math.max(sinceMs, localMs - offsetMs)
    if (instantMs < change.atMs) return instantMs
    sinceMs = change.atMs
    offsetMs = change.offsetMs
  }
  return Math.max(sinceMs, localMs - offsetMs)
}

function nextStart(instantMs: number, timeZone: string, unit: CivilUnit): number {
  if (unit === 'hour') return nextCivilHour(instantMs, timeZone)
  const day = civilDayOf(instantMs, timeZone)
  if (unit === 'day') return startOfCivilDay(nextCivilDay(day, timeZone), timeZone)
  return startOfCivilMonth(nextCivilMonth(day.slice(0, 7)), timeZone)
}

function startOfDayNumber(dayNumber: number, timeZone: string): number {
  return firstInstantOf(dayNumber * DAY_MS, timeZone)
}

function sinceFullHour(localMs: number): number {
  return localMs - Math.floor(localMs / HOUR_MS) * HOUR_MS
}

function dayNumberOf(day: string): number {
  const startMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  // Some platforms read February 30 as March 1 or 2.
  if (Number.isNaN(startMs) || !new Date(startMs).toISOString().startsWith(day)) {
    throw new RangeError(`${day} is not a date`)
  }
  return startMs / DAY_MS
}

function dayText(dayNumber: number): string {
  const text = new Date(dayNumber * DAY_MS).toISOString()
  if (text.length !== 24) throw new RangeError(`${text} is beyond the year 9999`)
  return text.slice(0, 10)
}
