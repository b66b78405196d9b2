import { addCivilDays, civilDayOf, instantOfLocalTime, instantOfTimeOfDay } from '../../metering/index.js'

/** A stretch of each day. The end is excluded; an end before the start is on the next day. */
export interface QuietHours {
  readonly from: string
  readonly to: string
}

/**
 * Whether the instant is within the quiet hours, by the clocks of the time zone. An hour that these show twice is quiet both times;
 * hours that begin and end at the same time are the whole day.
 */
export function isQuiet({ from, to }: QuietHours, instant: Date, timeZone: string): boolean {
  const time = timeOfDayIn(instant, timeZone)
  return from < to ? from <= time && time < to : from <= time || time < to
}

/**
 * The end of the quiet hours that the instant is within; null where it is within none. An end that is skipped is the instant of the change.
 * Of hours that are the whole day it is the next time at which they begin anew.
 */
export function quietUntil(hours: QuietHours, instant: Date, timeZone: string): Date | null {
  if (!isQuiet(hours, instant, timeZone)) return null
  const today = civilDayOf(instant.getTime(), timeZone)
  const ends = [today, addCivilDays(today, 1), addCivilDays(today, 2)].flatMap((day) => [
    instantOfTimeOfDay(day, hours.to, timeZone),
    instantOfLocalTime(`${day}T${hours.to}`, timeZone, { second: true })?.instantMs ?? 0,
  ])
  return new Date(Math.min(...ends.filter((end) => end > instant.getTime())))
}

/** Such as `22:30`, so that the order of the texts is that of the times. */
function timeOfDayIn(instant: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(instant)
}
