import { z } from 'zod'
import { objectId } from '../../core/fields.js'
import { dayRangeSchema, isBefore9999, tooLate } from '../day-range.js'

const ids = () => z.array(objectId()).min(1).max(1000).optional()

/** What a question is about; everything if left out. */
export const energyScopeSchema = z.strictObject({
  /** Classrooms, by their ids or names, at most 1,000. @default all */
  classrooms: ids(),
  /** Devices, by their ids, at most 1,000. @default all */
  devices: ids(),
})
export type EnergyScope = z.input<typeof energyScopeSchema>
export type ParsedScope = z.output<typeof energyScopeSchema>

/** A civil day; those after it can be written too. */
export const dayBefore9999 = () => z.iso.date().refine(isBefore9999, { error: tooLate })

/** Civil days, both included, at most 366, of some classrooms or devices. */
export const daysQuestionSchema = dayRangeSchema.safeExtend(energyScopeSchema.shape)
export type DaysQuestion = z.input<typeof daysQuestionSchema>
export type ParsedDays = z.output<typeof daysQuestionSchema>

const month = () => z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, { error: 'expected a month, YYYY-MM' })
const monthNumber = (text: string) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5))

/** Civil months, both included, at most 120, of some classrooms or devices. */
export const monthsQuestionSchema = energyScopeSchema
  .extend({ from: month(), to: month() })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'expected a month not before the first' })
  .refine(({ from, to }) => monthNumber(to) - monthNumber(from) < 120, {
    path: ['to'],
    error: 'expected at most 120 months',
  })
  .refine(({ to }) => isBefore9999(to), { path: ['to'], error: tooLate })
export type MonthsQuestion = z.input<typeof monthsQuestionSchema>
export type ParsedMonths = z.output<typeof monthsQuestionSchema>

/** Which rows of a list: 50 from the first one if left out. */
export const pageSchema = z.strictObject({
  /** The number of the page, from 1. @default 1 */
  page: z.int().min(1).max(2000).default(1),
  /** How many rows a page has, at most 1,000. @default 50 */
  limit: z.int().min(1).max(1000).default(50),
})

/** The last days of something, today included. */
export const lastDays = (days: number) => ({
  days: z.int().min(1).max(366).default(days),
  /** The last of them; today if left out. */
  to: dayBefore9999().optional(),
})
