import { offsetsOf } from './time-zone.js'

const DAY_MS = 86_400_000

/** More than any zone is or was away from UTC (Manila, until 1844, by 15:56). */
const LARGEST_OFFSET_MS = 16 * 3_600_000

/** A stretch of time, epoch milliseconds; the end is not part of it. */
export interface CivilSpan {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The civil day, `YYYY-MM-DD`, that clocks in a zone show at an instant (epoch milliseconds). Where they are put back across
 * midnight, as in St John's until 2011, the day before is visited again, and then the new day.
 *
 * @throws RangeError if the zone is not known, or the instant beyond the year 9999.
 */
export function civilDayOf(instantMs: number, timeZone: string): string {
  return dayText(dayNumberAt(instantMs, offsetsOf(timeZone).offsetAt(instantMs)))
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
 * The first instant of a civil day, epoch milliseconds. A day whose midnight does not exist starts at its first instant that
 * does; a day that does not exist at all (2011-12-30 in Apia) starts, and ends, where the next one starts.
 *
 * @throws RangeError if the day is not a date `YYYY-MM-DD`, or the zone not known.
 */
export function startOfCivilDay(day: string, timeZone: string): number {
  return startOfDayNumber(dayNumberOf(day), timeZone)
}

/**
 * The instant after the last one of a civil day, epoch milliseconds: later than the start of the next day where this one is
 * visited twice.
 *
 * @throws RangeError if the day is not a date `YYYY-MM-DD`, or the zone not known.
 */
export function endOfCivilDay(day: string, timeZone: string): number {
  return lastInstantBefore((dayNumberOf(day) + 1) * DAY_MS, timeZone)
}

/**
 * The days of a civil month.
 *
 * @throws RangeError if the month is not of the form `YYYY-MM`.
 */
export function daysOfCivilMonth(month: string): { from: string; to: string } {
  const from = `${month}-01`
  // The 32nd day from a month's first is always in the next month.
  const nextMonth = dayText(dayNumberOf(from) + 31).slice(0, 8)
  return { from, to: dayText(dayNumberOf(`${nextMonth}01`) - 1) }
}

/**
 * The time of some civil days, both included, in order. It is one stretch, or several where clocks are put back from another
 * day into these, or from these into another one.
 *
 * @throws RangeError if a day is not a date `YYYY-MM-DD`, or the zone not known.
 */
export function civilSpans(days: { readonly from: string; readonly to: string }, timeZone: string): CivilSpan[] {
  const [startMs, endMs] = [startOfCivilDay(days.from, timeZone), endOfCivilDay(days.to, timeZone)]
  const spans: CivilSpan[] = []
  for (let fromMs = startMs; fromMs < endMs; ) {
    const toMs = nextDayChange(fromMs, timeZone)
    const day = civilDayOf(fromMs, timeZone)
    if (day >= days.from && day <= days.to) {
      const last = spans.at(-1)
      if (last?.toMs === fromMs) spans[spans.length - 1] = { fromMs: last.fromMs, toMs }
      else spans.push({ fromMs, toMs })
    }
    fromMs = toMs
  }
  return spans
}

/**
 * The instant, epoch milliseconds, at which clocks in a zone first show a time of day, `HH:MM`, on a civil day. A time that is skipped is the
 * instant of the change; one that is repeated is its first instant.
 *
 * @throws RangeError if the day is not a date `YYYY-MM-DD`, the time none, or the zone not known.
 */
export function instantOfTimeOfDay(day: string, time: string, timeZone: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time)
  if (match === null) throw new RangeError(`${time} is not a time of day`)
  const minutes = 60 * Number(match[1]) + Number(match[2])
  return firstInstantOf(dayNumberOf(day) * DAY_MS + minutes * 60_000, timeZone)
}

/**
 * The civil day, `YYYY-MM-DD`, some days after another one; before it where the number is negative.
 *
 * @throws RangeError if the day is not a date `YYYY-MM-DD`.
 */
export function addCivilDays(day: string, days: number): string {
  return dayText(dayNumberOf(day) + days)
}

/** The first instant after this one at which clocks in the zone show another day. */
export function nextDayChange(instantMs: number, timeZone: string): number {
  const { offsetAt, changesBetween } = offsetsOf(timeZone)
  let sinceMs = instantMs
  let offsetMs = offsetAt(instantMs)
  const dayNumber = dayNumberAt(instantMs, offsetMs)
  for (;;) {
    const midnightMs = (dayNumber + 1) * DAY_MS - offsetMs
    const [change] = changesBetween(sinceMs, midnightMs)
    if (change === undefined) return midnightMs
    if (dayNumberAt(change.atMs, change.offsetMs) !== dayNumber) return change.atMs
    sinceMs = change.atMs
    offsetMs = change.offsetMs
  }
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

/** The instant, epoch milliseconds, from which on clocks in the zone never show a time before this local time. */
function lastInstantBefore(localMs: number, timeZone: string): number {
  const { offsetAt, changesBetween } = offsetsOf(timeZone)
  const sinceMs = localMs - LARGEST_OFFSET_MS
  let endMs = Number.POSITIVE_INFINITY
  const changes = [
    { atMs: sinceMs, offsetMs: offsetAt(sinceMs) },
    ...changesBetween(sinceMs, localMs + LARGEST_OFFSET_MS),
  ]
  for (const { atMs, offsetMs } of changes.reverse()) {
    if (atMs + offsetMs < localMs) return Math.min(localMs - offsetMs, endMs)
    endMs = atMs
  }
  return endMs
}

function startOfDayNumber(dayNumber: number, timeZone: string): number {
  return firstInstantOf(dayNumber * DAY_MS, timeZone)
}

function dayNumberAt(instantMs: number, offsetMs: number): number {
  return Math.floor((instantMs + offsetMs) / DAY_MS)
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
