import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'

/**
 * A stretch of time in which a device with rated switches showed signs of life, and which another one has followed; the last
 * one is in the device's document. One for each silence and restart: signs of life that come late are placed by them.
 */
export const lifeSpanEntity = defineAppendOnlyEntity({
  name: 'life span',
  collection: 'life_spans',
  personal: 'none',
  fields: {
    device: objectId(),
    /** The first sign of life. */
    from: z.date(),
    /** The last one. */
    to: z.date(),
    /** The run of the device, where it names its runs. */
    boot: z.string().min(1).max(64).optional(),
  },
  shardKey: { device: 1 },
  indexes: [{ key: { device: 1, from: 1 }, unique: true, serves: 'the spans of a device around an instant' }],
})

export type StoredLifeSpan = Stored<typeof lifeSpanEntity>
