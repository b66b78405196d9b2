import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId, quantity } from '../../core/fields.js'
import { rulePhases } from './rule-state.js'

/** Alert state: how a rule stands for a device, or one of its switches. What is normal, and was so, has none. */
export const alertStateEntity = defineEntity({
  name: 'alert state',
  collection: 'alert_states',
  personal: 'none',
  fields: {
    /** The rule. */
    rule: objectId(),
    /** What it looks at: the id of the device, with that of the switch where there is one. */
    subject: z.string().min(24).max(49),
    /** The device. */
    device: objectId(),
    /** The site that the device was at. */
    classroom: objectId().optional(),
    /** Where it is between normal and firing. */
    phase: z.enum(rulePhases),
    /** Since when. */
    since: z.date(),
    /** The last reading. */
    lastAt: z.date(),
    /** Wh; the counter at the last reading, for rules about counters. */
    counterWh: quantity(0, 1e15).optional(),
    /** What is to become of alerts, in order; done and removed after it was stored. */
    due: z
      .array(
        z.strictObject({
          /** What is to be done. */
          event: z.enum(['open', 'close']),
          /** When it happened. */
          at: z.date(),
          /** What was measured. */
          value: quantity(-1e15, 1e15),
        }),
      )
      .max(100_000),
    /** Whether something is due. */
    isDue: z.boolean(),
  },
  shardKey: { rule: 1 },
  indexes: [
    { key: { rule: 1, subject: 1 }, unique: true, serves: 'the one state of a rule for what it looks at' },
    { key: { isDue: 1, _id: 1 }, partialFilterExpression: { isDue: true }, serves: 'states with something due' },
  ],
})

export type AlertState = Stored<typeof alertStateEntity>

/** Alert cursor: until when readings were looked at by the rules. */
export const alertCursorEntity = defineEntity({
  name: 'alert cursor',
  collection: 'alert_cursors',
  personal: 'none',
  fields: {
    /** What was looked at. */
    name: z.string().min(1).max(100),
    /** Readings before this instant were. */
    through: z.date(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the cursor by its name' }],
})

export type AlertCursor = Stored<typeof alertCursorEntity>
