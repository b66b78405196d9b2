import { z } from 'zod'
import { quantity } from './fields.js'

/** A point as GeoJSON has it (RFC 7946): longitude first, then latitude, in degrees. */
export const geoPoint = () =>
  z.strictObject({
    type: z.literal('Point'),
    coordinates: z.tuple([quantity(-180, 180), quantity(-90, 90)]),
  })

export type GeoPoint = z.output<ReturnType<typeof geoPoint>>

/** A place on the earth, in degrees. */
export interface Place {
  readonly latitude: number
  readonly longitude: number
}
