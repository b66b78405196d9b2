import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'

/** A quarter hour of a switch that has got measurements which its register in the ledger may lack. */
export const registerMarkEntity = defineEntity({
  name: 'register mark',
  collection: 'register_marks',
  personal: 'none',
  fields: {
    switchId: objectId(),
    deviceId: objectId(),
    /** Where the quarter hour begins. */
    quarter: z.date(),
    /** From when on its register is taken: readings that follow it have come by then, as a rule. */
    dueAt: z.date(),
    /** How often measurements came: a worker that has included all of them finds the number as it was. */
    touches: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  },
  shardKey: { switchId: 1 },
  indexes: [
    { key: { switchId: 1, quarter: 1 }, unique: true, serves: 'the mark of a quarter hour of a switch' },
    { key: { dueAt: 1, _id: 1 }, serves: 'the quarter hours whose registers can be taken, oldest first' },
  ],
})

export type RegisterMark = Stored<typeof registerMarkEntity>
