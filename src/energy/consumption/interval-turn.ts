import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'

/**
 * Whose turn it is to change the derived intervals of a switch, whose id is the document's. Each change of them changes this
 * document in the same transaction: of two that were reckoned at once the second starts over, and sees what the first did.
 */
export const intervalTurnEntity = defineEntity({
  name: 'interval turn',
  collection: 'interval_turns',
  fields: {
    /** How often they were changed. */
    changes: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  },
})

export type IntervalTurn = Stored<typeof intervalTurnEntity>
