import type { Filter, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Identified } from '../../core/entity.js'
import { instant, objectId } from '../../core/fields.js'
import type { Walk } from '../../core/repository/time-series.js'
import { validateData } from '../../core/validate.js'

const channelKeys = ['switch', 'device', 'site', 'owner'] as const

const rangeFields = {
  switch: objectId().optional(),
  device: objectId().optional(),
  site: objectId().optional(),
  owner: objectId().optional(),
  /** The first instant. */
  from: instant().optional(),
  /** The instant after the last. */
  to: instant().optional(),
  order: z.enum(['newest', 'oldest']).default('newest'),
}

/** Whose values, and of which time: at least one of switch, device, site and owner. */
export const seriesRangeSchema = z
  .strictObject(rangeFields)
  .refine((range) => channelKeys.some((key) => range[key] !== undefined), {
    error: 'expected at least one of switch, device, site and owner',
  })
export type SeriesRange = z.input<typeof seriesRangeSchema>

export const pageSchema = z.strictObject({
  /** How many at most, up to 1,000. @default 50 */
  limit: z.int().min(1).max(1000).default(50),
  /** The `nextCursor` of the page before; from the start if left out. */
  cursor: z.string().max(200).nullish(),
})
export interface SeriesPage {
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number
  /** The `nextCursor` of the page before, of the same range and order. */
  readonly cursor?: string | null
}

/** The walk through a time series that the range stands for. @throws ValidationError. */
export function walkOf<Stored extends Identified>(range: SeriesRange): Walk<Stored> {
  const { from, to, order, ...rest } = validateData(seriesRangeSchema, range, 'The range')
  const given = rest as Partial<Record<(typeof channelKeys)[number], ObjectId>>
  const channel = channelKeys.flatMap((key) => (given[key] === undefined ? [] : [[`meta.${key}`, given[key]]]))
  const timestamp = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) }
  const query = { ...Object.fromEntries(channel), ...(Object.keys(timestamp).length === 0 ? {} : { timestamp }) }
  return { query: query as Filter<Stored>, direction: order === 'newest' ? -1 : 1 }
}
