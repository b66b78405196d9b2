import { Cron } from 'croner'
import { getTimes } from 'suncalc'
import { addCivilDays, civilDayOf, endOfCivilDay, instantOfTimeOfDay, startOfCivilDay } from '../metering/index.js'
import type { ScheduleRule } from './schedule-rule.js'

/** Occurrence: one run of a schedule. */
export interface Occurrence {
  /** Names the run: the civil day that it was computed for with the time or the event, or of a cron expression the minute of UTC. */
  readonly key: string
  readonly at: Date
}

/** What the runs of a schedule are computed by. */
export interface OccurrenceRules {
  readonly rule: ScheduleRule
  readonly onHolidays: 'skip' | 'run' | 'only'
  readonly validFrom?: string | undefined
  readonly validUntil?: string | undefined
}

/** Where a schedule runs. */
export interface OccurrenceSite {
  readonly timeZone: string
  readonly place?: { readonly latitude: number; readonly longitude: number } | undefined
  /** Civil days. */
  readonly holidays: ReadonlySet<string>
}

/** February 29 comes every eighth year around 2100. */
const searchedDays = 8 * 366
/** The sun may rise or set on another civil day than that which it was computed for. */
const daysAround = 2

/**
 * The first run after an instant; null if there is none within eight years. By the clocks of the site: a time that is skipped runs at the
 * change, one that is repeated runs once. Of a cron expression this holds where its hour and minute are fixed; one with wildcards keeps its
 * interval.
 */
export function nextOccurrence(rules: OccurrenceRules, site: OccurrenceSite, after: Date): Occurrence | null {
  const { validFrom, validUntil } = rules
  const earliestMs = validFrom === undefined ? 0 : startOfCivilDay(validFrom, site.timeZone) - 1
  const since = new Date(Math.max(after.getTime(), earliestMs))
  const next =
    rules.rule.type === 'cron' ? nextByCron(rules, rules.rule.expression, site, since) : nextByDay(rules, site, since)
  return next === null || (validUntil !== undefined && dayOf(next, rules, site) > validUntil) ? null : next
}

function dayOf({ key, at }: Occurrence, { rule }: OccurrenceRules, { timeZone }: OccurrenceSite): string {
  return rule.type === 'cron' ? civilDayOf(at.getTime(), timeZone) : key.slice(0, 10)
}

function nextByDay(rules: OccurrenceRules, site: OccurrenceSite, after: Date): Occurrence | null {
  const { rule } = rules
  if (rule.type === 'cron') return null
  const first = addCivilDays(civilDayOf(after.getTime(), site.timeZone), -daysAround)
  const last = rules.validUntil ?? addCivilDays(first, searchedDays)
  for (let day = first; day <= last; day = addCivilDays(day, 1)) {
    if (!isOn(rules, site, day) || !(rule.weekdays?.includes(weekdayOf(day)) ?? true)) continue
    const at = rule.type === 'time' ? timeOn(day, rule.at, site) : sunOn(day, rule, site)
    if (at !== null && at > after) return { key: keyOn(day, rule), at }
    // A place where the sun has not set for a year has none.
    if (rule.type === 'sun' && site.place === undefined) return null
  }
  return null
}

function keyOn(day: string, rule: Exclude<ScheduleRule, { type: 'cron' }>): string {
  return rule.type === 'time' ? `${day}T${rule.at}` : `${day} ${rule.event} ${rule.offsetMinutes ?? 0}`
}

function timeOn(day: string, time: string, { timeZone }: OccurrenceSite): Date | null {
  // A day that a zone leaves out, such as 2011-12-30 in Apia, has no times.
  if (startOfCivilDay(day, timeZone) >= endOfCivilDay(day, timeZone)) return null
  return new Date(instantOfTimeOfDay(day, time, timeZone))
}

/** Null on days on which the sun does not rise or set, and where the place is not known. */
function sunOn(day: string, rule: ScheduleRule & { type: 'sun' }, site: OccurrenceSite): Date | null {
  if (site.place === undefined) return null
  const { latitude, longitude } = site.place
  // The solar day of an instant is meant: noon is in the same one as the civil day.
  const noon = timeOn(day, '12:00', site)
  const at = noon === null ? null : getTimes(noon, latitude, longitude)[rule.event]
  return at === null ? null : new Date(at.getTime() + (rule.offsetMinutes ?? 0) * 60_000)
}

function nextByCron(rules: OccurrenceRules, expression: string, site: OccurrenceSite, after: Date): Occurrence | null {
  const cron = new Cron(expression, { paused: true, timezone: site.timeZone, mode: '5-part' })
  let since = after
  for (let tried = 0; tried < searchedDays; tried += 1) {
    const at = cron.nextRun(since)
    // Later than what was asked for, or the search would not end.
    if (at === null || at <= since) return null
    const day = civilDayOf(at.getTime(), site.timeZone)
    if (rules.validUntil !== undefined && day > rules.validUntil) return null
    if (isOn(rules, site, day)) return { key: `${at.toISOString().slice(0, 16)}Z`, at }
    since = new Date(Math.max(at.getTime(), endOfCivilDay(day, site.timeZone) - 1))
  }
  return null
}

function isOn(
  { onHolidays, validFrom, validUntil }: OccurrenceRules,
  { holidays }: OccurrenceSite,
  day: string,
): boolean {
  if ((validFrom !== undefined && day < validFrom) || (validUntil !== undefined && day > validUntil)) return false
  return onHolidays === 'run' || holidays.has(day) === (onHolidays === 'only')
}

/** Monday is 1, Sunday 7. */
function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7
}
