import type { Document } from 'mongodb'
import { z } from 'zod'
import { objectId } from '../../core/fields.js'

const mostPlaces = 1000
const places = () => z.array(objectId()).min(1).max(mostPlaces).optional()

/** Which roll-ups something is made of, or which have changed. */
export const dependenciesSchema = z
  .strictObject({
    /** Civil days, both included, `YYYY-MM-DD`. */
    fromDay: z.iso.date(),
    /** The last day that it is made of, `YYYY-MM-DD`. */
    toDay: z.iso.date(),
    /** At most 1,000; all of them if left out. */
    classrooms: places(),
    /** The devices that it is about; all if left out. */
    devices: places(),
  })
  .refine(({ fromDay, toDay }) => fromDay <= toDay, { path: ['toDay'], error: 'expected a day not before the first' })

export type CacheDependencies = z.input<typeof dependenciesSchema>
export type Dependencies = z.output<typeof dependenciesSchema>

/** As they are stored. */
export const dependencyFields = z.strictObject({
  /** The first day that it is made of, `YYYY-MM-DD`. */
  fromDay: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  /** The last day that it is made of, `YYYY-MM-DD`. */
  toDay: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  /** The classrooms that it is about; all if left out. */
  classrooms: places(),
  /** The devices that it is about; all if left out. */
  devices: places(),
})

/** The filter for entries that depend on what has changed. */
export function dependingOn({ fromDay, toDay, classrooms, devices }: Dependencies): Document {
  const ofPlaces = [among('dependsOn.classrooms', classrooms), among('dependsOn.devices', devices)].flat()
  const ofDays = { 'dependsOn.toDay': { $gte: fromDay }, 'dependsOn.fromDay': { $lte: toDay } }
  return ofPlaces.length === 0 ? ofDays : { ...ofDays, $and: ofPlaces }
}

function among(field: string, ids: Dependencies['devices']): Document[] {
  if (ids === undefined) return []
  return [{ $or: [{ [field]: { $exists: false } }, { [field]: { $in: ids } }] }]
}
