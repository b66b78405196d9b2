import { z } from 'zod'
import type { SortDirection } from '../index-definition.js'

const digits = /^\d{1,9}$/
/** A whole number; query strings have it as digits. */
const count = (maximum: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && digits.test(value) ? Number(value) : value),
    z.int().min(1).max(maximum),
  )

const field = /^-?[A-Za-z_][\w.]{0,99}$/
/** `name,-createdAt`: the fields to sort by, in order of weight, a minus for descending. */
const sort = z
  .string()
  .max(500)
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every((part) => field.test(part)), { error: 'expected fields such as name,-createdAt' })
  .transform(
    (parts): Record<string, SortDirection> =>
      Object.fromEntries(parts.map((part) => (part.startsWith('-') ? [part.slice(1), -1] : [part, 1]))),
  )

const common = { limit: count(1_000).optional(), sort: sort.optional() }

/**
 * The query parameters of a numbered page, `?page=2&limit=20&sort=-createdAt`, as `page()` takes them. What is not given is
 * left out, so that defaults of the host's own survive a spread; other parameters are left out too.
 */
export const pageQuerySchema = z.object({ page: count(100_001).optional(), ...common })

/** The query parameters of a slice, `?cursor=...&limit=20&sort=name`, as `after()` takes them; see {@link pageQuerySchema}. */
export const afterQuerySchema = z.object({ cursor: z.string().min(1).max(16_384).nullable().optional(), ...common })
