import { z } from 'zod'
import { defineEntity, type EntityRule, type Input, type Stored } from '../../core/entity.js'
import { objectId, quantity, timeOfDay } from '../../core/fields.js'
import { weekdays } from '../../schedules/schedule-rule.js'
import { severities } from '../severity.js'
import { limitedKindNames, readingKindNames, readingKinds, stateKindNames } from './rule-kinds.js'

const kinds = [...readingKindNames, ...stateKindNames] as const
const belowKinds: readonly string[] = readingKindNames.filter((name) => 'isBelow' in readingKinds[name])
const dayMs = 86_400_000
const duration = () =>
  z
    .int()
    .min(0)
    .max(30 * dayMs)
const value = () => quantity(-1e12, 1e12)

const isGiven = (given: unknown) => given !== undefined && given !== null
const isThere = (field: string) => ({ $in: [{ $type: `$${field}` }, ['double', 'int', 'long']] })

const rules: readonly EntityRule[] = [
  {
    path: 'raiseAt',
    message: 'is there where the kind has a limit, and nowhere else',
    check: ({ kind, raiseAt }) => isGiven(raiseAt) === limitedKindNames.includes(String(kind)),
    expression: { $eq: [isThere('raiseAt'), { $in: ['$kind', [...limitedKindNames]] }] },
  },
  {
    path: 'clearAt',
    message: 'is on the good side of `raiseAt`',
    check: ({ kind, raiseAt, clearAt }) => {
      if (!isGiven(clearAt) || !isGiven(raiseAt)) return true
      const [good, bad] = [Number(clearAt), Number(raiseAt)]
      return belowKinds.includes(String(kind)) ? good >= bad : good <= bad
    },
    expression: {
      $or: [
        { $not: [isThere('clearAt')] },
        { $not: [isThere('raiseAt')] },
        {
          $cond: [
            { $in: ['$kind', [...belowKinds]] },
            { $gte: ['$clearAt', '$raiseAt'] },
            { $lte: ['$clearAt', '$raiseAt'] },
          ],
        },
      ],
    },
  },
]

/** Alert rule: when an alert is opened, and when it is closed. */
export const alertRuleEntity = defineEntity({
  name: 'alert rule',
  collection: 'alert_rules',
  personal: {
    mentions: { in: ['name'], onErasure: 'replace' },
    notPersonal: 'kind severity enabled classroom device raiseAt clearAt holdMs clearHoldMs gapMs times'.split(' '),
  },
  fields: {
    /** What people call it: its alerts name it. */
    name: z.string().min(1).max(200),
    /** What it looks at; the type of its alerts. */
    kind: z.enum(kinds),
    /** The severity of its alerts. */
    severity: z.enum(severities),
    /** Whether it is applied at all. What it has opened is closed where it is not. */
    enabled: z.boolean().default(true),
    /** The site whose devices it is about; all sites if left out. */
    classroom: objectId().optional(),
    /** The device that it is about; all of the site if left out. */
    device: objectId().optional(),
    /** The value at which it begins, in the unit of the kind: that or more; of `under_voltage` that or less. */
    raiseAt: value().optional(),
    /** The value at which it is over: that or less; of `under_voltage` that or more. `raiseAt` if left out. */
    clearAt: value().optional(),
    /** ms; how long it has to last before an alert is opened. */
    holdMs: duration().default(0),
    /** ms; how long it has to be over before the alert is closed. */
    clearHoldMs: duration().default(0),
    /** ms; readings that are further apart say nothing of the time between them. */
    gapMs: z.int().min(1_000).max(dayMs).default(600_000),
    /** When it holds, by the clocks of the site; always if left out. What began then may end at any time. */
    times: z
      .array(
        z.strictObject({
          /** Monday is 1, Sunday 7; every day if left out. */
          weekdays: weekdays().optional(),
          /** From when. */
          from: timeOfDay(),
          /** Until when; on the next day where it is not after `from`. */
          until: timeOfDay(),
        }),
      )
      .min(1)
      .max(50)
      .optional(),
  },
  rules,
  immutable: ['kind'],
  indexes: [
    { key: { enabled: 1, kind: 1, _id: 1 }, serves: 'the rules that are applied' },
    { key: { classroom: 1, name: 1, _id: 1 }, serves: 'the rules of a site by name' },
    { key: { device: 1, name: 1, _id: 1 }, serves: 'the rules of a device by name' },
  ],
})

export type AlertRule = Stored<typeof alertRuleEntity>
export type AlertRuleInput = Input<typeof alertRuleEntity>
