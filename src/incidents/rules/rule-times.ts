import { addCivilDays, civilDayOf, instantOfTimeOfDay } from '../../metering/index.js'
import type { AlertRule } from './alert-rule.js'

/**
 * Whether a rule holds at an instant, by the clocks of a site. A time that goes over midnight belongs to the day on which it began; the end is
 * not part of it.
 */
export function holdsAt(times: AlertRule['times'], atMs: number, timeZone: string): boolean {
  if (times === undefined) return true
  const today = civilDayOf(atMs, timeZone)
  return [today, addCivilDays(today, -1)].some((day) => {
    const weekday = new Date(`${day}T00:00:00Z`).getUTCDay() || 7
    return times.some(({ weekdays, from, until }) => {
      if (weekdays?.includes(weekday) === false) return false
      const lastDay = until > from ? day : addCivilDays(day, 1)
      const [fromMs, untilMs] = [instantOfTimeOfDay(day, from, timeZone), instantOfTimeOfDay(lastDay, until, timeZone)]
      return fromMs <= atMs && atMs < untilMs
    })
  })
}
