import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { type DataAccess, hourOf } from '../activity/data-access.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import { instant } from '../core/fields.js'
import { validateData } from '../core/validate.js'

/** Data access options: which of the records. */
export interface DataAccessOptions {
  /** From the hour of this instant. @default the oldest */
  readonly from?: Date | string
  /** Before the hour of this instant. @default the newest */
  readonly to?: Date | string
  /** How many at most, up to 1,000. @default 100 */
  readonly limit?: number
}

const optionsSchema = z.strictObject({
  from: instant().optional(),
  to: instant().optional(),
  limit: z.int().min(1).max(1_000).default(100),
})

/** The records about a person, newest first. @throws ValidationError. */
export async function dataAccessesOf(
  accesses: EntityCollection<DataAccess>,
  subject: ObjectId,
  options: DataAccessOptions,
): Promise<DataAccess[]> {
  const { from, to, limit } = validateData(optionsSchema, options, 'The options')
  const hour = {
    ...(from === undefined ? {} : { $gte: hourOf(from) }),
    ...(to === undefined ? {} : { $lt: hourOf(to) }),
  }
  const filter = Object.keys(hour).length === 0 ? { subject } : { subject, hour }
  return accesses.for('accesses').find(filter, { sort: { hour: -1, reader: 1, entity: 1 }, limit })
}
