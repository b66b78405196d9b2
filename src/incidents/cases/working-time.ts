import { addCivilDays, civilDayOf, endOfCivilDay, instantOfTimeOfDay, startOfCivilDay } from '../../metering/index.js'

/** When people work on some weekdays, by the clocks of the site. */
export interface WorkingHours {
  /** Monday is 1, Sunday 7. */
  readonly weekdays: readonly number[]
  readonly from: string
  /** `24:00` is the end of the day. */
  readonly until: string
}

export interface WorkingSite {
  readonly timeZone: string
  /** All hours count where it is undefined. */
  readonly workingHours: readonly WorkingHours[] | undefined
  /** Civil days on which nobody works. */
  readonly holidays: ReadonlySet<string>
}

const searchedDays = 800

/**
 * The instant at which so much working time has gone by at a site. Hours are those that clocks there show, so a day on which they are changed is
 * an hour longer or shorter, if people work at that hour.
 * @returns null where it does not go by within two years.
 */
export function afterWorkingTime(start: Date, durationMs: number, site: WorkingSite): Date | null {
  const { timeZone, workingHours, holidays } = site
  if (workingHours === undefined) return new Date(start.getTime() + durationMs)
  let [atMs, leftMs] = [start.getTime(), durationMs]
  let day = civilDayOf(atMs, timeZone)
  for (let searched = 0; searched < searchedDays; searched += 1) {
    for (const [fromMs, untilMs] of holidays.has(day) ? [] : spansOn(day, workingHours, timeZone)) {
      const beginMs = Math.max(fromMs, atMs)
      if (untilMs <= beginMs) continue
      if (untilMs - beginMs >= leftMs) return new Date(beginMs + leftMs)
      leftMs -= untilMs - beginMs
      // Hours that overlap count once.
      atMs = untilMs
    }
    day = addCivilDays(day, 1)
  }
  return null
}

function spansOn(day: string, hours: readonly WorkingHours[], timeZone: string): [number, number][] {
  // A day that a zone leaves out, such as 2011-12-30 in Apia, has no hours.
  if (startOfCivilDay(day, timeZone) >= endOfCivilDay(day, timeZone)) return []
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay() || 7
  return hours
    .filter(({ weekdays }) => weekdays.includes(weekday))
    .map(({ from, until }): [number, number] => [
      instantOfTimeOfDay(day, from, timeZone),
      until === '24:00' ? endOfCivilDay(day, timeZone) : instantOfTimeOfDay(day, until, timeZone),
    ])
    .sort(([one], [other]) => one - other)
}
