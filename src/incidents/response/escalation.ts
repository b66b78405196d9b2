import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { severities } from '../severity.js'

const mostSteps = 10

/** Escalation: who is notified of an alert that nobody has acknowledged, and after how long. */
export const escalationEntity = defineEntity({
  name: 'escalation',
  collection: 'escalations',
  personal: {
    subjects: { 'steps.users': { onErasure: 'anonymise' } },
    mentions: { in: ['name'], onErasure: 'replace' },
    notPersonal: ['classroom', 'minimumSeverity', 'enabled'],
  },
  fields: {
    /** What people call it. */
    name: z.string().min(1).max(200),
    /** The site whose alerts it is about; all alerts if left out. */
    classroom: objectId().optional(),
    /** Of alerts this bad or worse. */
    minimumSeverity: z.enum(severities),
    /** Whether it is applied at all. */
    enabled: z.boolean().default(true),
    /** Whom to notify, in order. */
    steps: z
      .array(
        z.strictObject({
          /** ms after the alert was opened. */
          afterMs: z
            .int()
            .min(0)
            .max(30 * 86_400_000),
          /** The users. */
          users: z.array(objectId()).min(1).max(100),
          /** The channels; those that each user wants if left out. */
          channels: z.array(z.string().min(1).max(50)).min(1).max(20).optional(),
        }),
      )
      .min(1)
      .max(mostSteps),
  },
  indexes: [
    { key: { enabled: 1, _id: 1 }, serves: 'the escalations that are applied' },
    { key: { classroom: 1, name: 1, _id: 1 }, serves: 'the escalations of a site by name' },
  ],
})

export type Escalation = Stored<typeof escalationEntity>
export type EscalationInput = Input<typeof escalationEntity>
