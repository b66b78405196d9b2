import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'

/**
 * The revision of a switch's derived intervals; the document's id is the switch's. Each change of the intervals increments it in
 * the same transaction, so of two changes that were computed at the same time the second conflicts and starts over.
 */
export const intervalRevisionEntity = defineEntity({
  name: 'interval revision',
  collection: 'interval_revisions',
  personal: 'none',
  fields: {
    /** How often they were changed. */
    changes: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  },
})

export type IntervalRevision = Stored<typeof intervalRevisionEntity>
