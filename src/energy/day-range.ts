import { z } from 'zod'
import { endOfCivilDay, startOfCivilDay } from '../metering/index.js'
import type { TimeRange } from './switch-energy.js'

/** Whether a civil day or month is one after which others can be written. */
export const isBefore9999 = (text: string) => text < '9999'
export const tooLate = 'expected a time before the year 9999'

/** Civil days, both included, `YYYY-MM-DD`, at most 366. */
export const dayRangeSchema = z
  .strictObject({
    /** The first day, included, `YYYY-MM-DD`. */
    from: z.iso.date(),
    /** The last day, included. */
    to: z.iso.date(),
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'expected a day not before the first' })
  .refine(({ to }) => isBefore9999(to), { path: ['to'], error: tooLate })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) < 366 * 86_400_000, {
    path: ['to'],
    error: 'expected at most 366 days',
  })
export type DayRange = z.input<typeof dayRangeSchema>

/** The instants that the days span in any of the zones; some of them may be other days' (see `civilSpans`). */
export function instantsOf({ from, to }: DayRange, zones: readonly string[]): TimeRange {
  return {
    fromMs: Math.min(...zones.map((zone) => startOfCivilDay(from, zone))),
    toMs: Math.max(...zones.map((zone) => endOfCivilDay(to, zone))),
  }
}
