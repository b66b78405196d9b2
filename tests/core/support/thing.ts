import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { AutoVolt } from '../../../src/autovolt.js'
import { defineEntity, type Input, type Stored } from '../../../src/core/entity.js'
import { instant, objectId } from '../../../src/core/fields.js'
import type { Repository } from '../../../src/core/repository/repository.js'

/** An entity with a field of every kind. */
export const thingEntity = defineEntity({
  name: 'thing',
  collection: 'things',
  fields: {
    code: z.string().min(1).max(100),
    label: z.string().optional(),
    rank: z.int().optional(),
    weight: z.number().nullish(),
    fresh: z.boolean().optional(),
    at: instant().optional(),
    owner: objectId().optional(),
    color: z.enum(['red', 'green', 'blue']).optional(),
    tags: z.array(z.string()).default([]),
    parts: z
      .array(z.strictObject({ _id: objectId().default(() => new ObjectId()), name: z.string(), count: z.int().min(0) }))
      .max(5)
      .default([]),
    size: z.strictObject({ width: z.number(), height: z.number().optional() }).optional(),
    mixed: z.union([z.string(), z.number()]).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  },
  secrets: { secret: z.string().min(3).optional() },
  rules: [
    {
      path: 'size.height',
      message: 'is more than the width',
      check: ({ size }) => {
        const { width, height } = (size ?? {}) as { width?: number; height?: number }
        return width === undefined || height === undefined || height <= width
      },
      expression: {
        $or: [{ $not: [{ $isNumber: '$size.height' }] }, { $lte: ['$size.height', '$size.width'] }],
      },
    },
  ],
  softDelete: true,
  indexes: [
    { key: { code: 1 }, unique: true, serves: 'a thing by its code' },
    { key: { rank: 1, _id: 1 }, serves: 'things by rank' },
    { key: { weight: -1, at: 1, _id: 1 }, serves: 'things by weight and age' },
    { key: { color: 1, at: -1, _id: -1 }, serves: 'things of a color, newest first' },
    { key: { mixed: 1, _id: 1 }, serves: 'nothing that can be walked' },
    { key: { tags: 1, _id: 1 }, serves: 'things with a tag' },
  ],
})

export type Thing = Stored<typeof thingEntity>
export type ThingInput = Input<typeof thingEntity>
export type Things = Repository<Thing, ThingInput>

let serial = 0

export function aThing(overrides: Partial<ThingInput> = {}): ThingInput {
  serial += 1
  return { code: `thing-${serial}`, ...overrides }
}

/** The repository of things, with its collection set up and empty. */
export async function setUpThings(volt: AutoVolt): Promise<Things> {
  await volt.setup()
  return volt.repository(thingEntity)
}
