import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import { defineEntity, type Stored } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { objectId } from '../core/fields.js'

/** Hold: why a person may not be erased at present, such as a dispute. */
export const holdEntity = defineEntity({
  name: 'hold',
  collection: 'privacy_holds',
  personal: { subjects: { user: { onErasure: 'delete document' } } },
  fields: {
    /** The person. */
    user: objectId(),
    /** Why the person may not be erased. */
    reason: z.string().min(1).max(500),
    /** Until then; until it is released if left out. */
    until: z.date().optional(),
  },
  indexes: [{ key: { user: 1 }, serves: 'what holds a person' }],
})

export type Hold = Stored<typeof holdEntity>

/** @throws DatabaseError `ERASURE_HELD` while something holds the person. */
export async function requireNoHold(holds: EntityCollection<Hold>, user: Hold['user'], now: Date): Promise<void> {
  const found = await holds.find({ user })
  const hold = found.find(({ until }) => until === undefined || until > now)
  if (hold === undefined) return
  const end = hold.until === undefined ? '' : `, until ${hold.until.toISOString()}`
  throw new DatabaseError('ERASURE_HELD', `The person may not be erased: ${hold.reason}${end}`)
}
