import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'

/** How far the entries of a switch are in the roll-ups. Its `_id` is the switch's. */
export const rollUpCursorEntity = defineEntity({
  name: 'roll-up cursor',
  collection: 'rollup_cursors',
  fields: {
    /** The sequence number of the last entry that is in them. */
    through_sequence: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  },
})

export type RollUpCursor = Stored<typeof rollUpCursorEntity>
