import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { quantity } from '../core/fields.js'

const keptForSeconds = 400 * 86_400
const count = () => quantity(0, 1e15)

/** Retention run: what one run of a policy has let go. */
export const retentionRunEntity = defineEntity({
  name: 'retention run',
  collection: 'retention_runs',
  personal: 'none',
  fields: {
    /** The policy's name. */
    policy: z.string().min(1).max(100),
    /** The collection whose documents it was about. */
    source: z.string().min(1).max(255),
    /** Documents with an earlier date were let go. */
    before: z.date(),
    /** When it began. */
    startedAt: z.date(),
    /** When it ended; left out while it is under way, and of one whose process was killed. */
    endedAt: z.date().optional(),
    /** How many were copied into the archive. */
    archived: count(),
    /** How many were deleted. */
    deleted: count(),
    /** Whether nothing was left that should go. */
    isComplete: z.boolean(),
    /** What it failed with. */
    error: z.string().max(1000).optional(),
  },
  indexes: [
    { key: { policy: 1, startedAt: -1 }, serves: 'the last runs of a policy' },
    { key: { startedAt: 1 }, expireAfterSeconds: keptForSeconds, serves: 'nobody: the server removes what is older' },
  ],
})

export type RetentionRun = Stored<typeof retentionRunEntity>
