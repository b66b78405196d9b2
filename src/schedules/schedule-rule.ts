import { Cron } from 'croner'
import { z } from 'zod'
import { timeOfDay } from '../core/fields.js'

/** ISO 8601: Monday is 1, Sunday 7. */
export const weekdays = () =>
  z
    .array(z.int().min(1).max(7))
    .min(1)
    .max(7)
    .refine((days) => new Set(days).size === days.length, { error: 'expected each weekday once' })

const searchedYears = 5

/** Five fields, no seconds: minute, hour, day of month, month, weekday. */
const cronExpression = () =>
  z
    .string()
    .max(100)
    .regex(/^[^\s]+( [^\s]+){4}$/, { error: 'expected the five fields of a cron expression' })
    .refine(isCron, { error: 'expected a cron expression that runs at some time in five years' })

/** When it is: a time of day, a cron expression, or the sun. */
export const scheduleRule = () =>
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('time'),
      /** By the clocks of the site. */
      at: timeOfDay(),
      /** Every day if left out. */
      weekdays: weekdays().optional(),
    }),
    z.strictObject({ type: z.literal('cron'), expression: cronExpression() }),
    z.strictObject({
      type: z.literal('sun'),
      event: z.enum(['sunrise', 'sunset']),
      /** After the event; before it where negative. */
      offsetMinutes: z.int().min(-180).max(180).optional(),
      /** Of the day that the event belongs to; every day if left out. */
      weekdays: weekdays().optional(),
    }),
  ])

export type ScheduleRule = z.output<ReturnType<typeof scheduleRule>>

function isCron(expression: string): boolean {
  try {
    const now = new Date()
    const next = new Cron(expression, { paused: true, timezone: 'UTC', mode: '5-part' }).nextRun(now)
    return next !== null && next.getUTCFullYear() <= now.getUTCFullYear() + searchedYears
  } catch {
    return false
  }
}
