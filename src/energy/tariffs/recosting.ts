import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { instant, objectId } from '../../core/fields.js'

/** A stretch of time whose prices have changed, for a tariff or a classroom: what was computed by them is to be computed again. */
export const recostingEntity = defineEntity({
  name: 're-costing',
  collection: 'recostings',
  personal: 'none',
  fields: {
    /** The tariff that has changed, or the one that a classroom has now. */
    tariff: z.string().min(1).max(100),
    /** There if it is about this classroom alone, which has another tariff than before. */
    classroom: objectId().optional(),
    /** The first instant whose price has changed. */
    from: instant(),
    /** The first one whose price has not; left out if there is none. */
    until: instant().optional(),
    /** `settling`: done, and to be looked at once more when nobody who began before the change can still be writing. */
    state: z.enum(['pending', 'settling', 'finished']).default('pending'),
    /** The devices up to this one are done. */
    through_device: objectId().optional(),
    /** The record of the change of the tariff that it follows from. */
    audit: objectId().optional(),
  },
  indexes: [
    { key: { state: 1, createdAt: 1, _id: 1 }, serves: 'what is to be computed again, oldest first' },
    { key: { classroom: 1, createdAt: -1, _id: -1, tariff: 1 }, serves: 'the tariff that a classroom had last' },
  ],
})

export type Recosting = Stored<typeof recostingEntity>
export type RecostingInput = Input<typeof recostingEntity>
