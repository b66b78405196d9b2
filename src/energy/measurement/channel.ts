import { z } from 'zod'
import { objectId } from '../../core/fields.js'

/** What a measurement or an event is of. It is the meta field of the time series: equal ones are stored together. */
export const channelFields = {
  device: objectId(),
  /** The switch, or channel of a meter; left out for what concerns the device as a whole. */
  switch: objectId().optional(),
  /** The user that the device belonged to. */
  owner: objectId().optional(),
}

export const sources = z.enum(['mqtt', 'api', 'manual', 'calculated', 'migration']).default('api')

/** What else there is to say, in plain values. */
export const metadata = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/),
    z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]),
  )
  .optional()
