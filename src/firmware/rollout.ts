import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { objectId, quantity } from '../core/fields.js'

const rolloutStatuses = ['running', 'paused', 'halted', 'finished', 'cancelled'] as const

/** Percentages of the devices, each more than the one before. */
export const stageList = () =>
  z
    .array(quantity(0, 100))
    .min(1)
    .max(20)
    .refine((stages) => stages.every((one, at) => at === 0 || one > (stages[at - 1] ?? 0)), {
      error: 'expected percentages that grow',
    })
    .refine((stages) => stages.at(-1) === 100, { error: 'expected 100 as the last' })

export const haltRule = () =>
  z.strictObject({
    /** So many devices have to have failed. */
    minimum: z.int().min(1),
    /** Of those that have ended more than this share has to have failed. */
    percent: quantity(0, 100),
  })
export const advanceRule = () =>
  z.strictObject({
    /** So many devices have to have succeeded. */
    minimum: z.int().min(0),
    /** Of those that have ended this share has to have succeeded. */
    percent: quantity(0, 100),
    /** ms that a stage takes at least. */
    soakMs: z.int().min(0).max(2_592_000_000),
  })

/** The way of a firmware to the devices, in stages. */
export const rolloutEntity = defineEntity({
  name: 'firmware roll-out',
  collection: 'firmware_rollouts',
  personal: {
    subjects: { createdBy: { onErasure: 'delete' } },
    mentions: { in: ['reason'], onErasure: 'replace' },
    notPersonal: (
      'firmware version board status open allowed classrooms stages stage stageStartedAt haltAt advanceAt ' +
      'perMinute installMs enrolledTo enrolled endedAt'
    ).split(' '),
  },
  fields: {
    /** The image. */
    firmware: objectId(),
    /** The version of the image. */
    version: z.string().max(100),
    /** The board of the image: other boards are left out. */
    board: z.string().max(50),
    /** `running`, `paused` for a while, `halted` by failures, `finished`, or `cancelled`. */
    status: z.enum(rolloutStatuses),
    /** Whether there is anything left to look after: of one that is over, devices that have begun. */
    open: z.boolean(),
    /** Devices that are in the first stage whatever their share. */
    allowed: z.array(objectId()).max(10_000),
    /** Only devices of these classrooms; of all if left out. */
    classrooms: z.array(objectId()).max(10_000).optional(),
    /** Percentages of the devices, one stage after the other; the last is 100. */
    stages: stageList(),
    /** Counted from 0. */
    stage: z.int().min(0),
    /** When the present stage began. */
    stageStartedAt: z.date(),
    /** It halts at so many failures that are more than this share of what has ended. */
    haltAt: haltRule(),
    /** The next stage begins at so many successes that are this share of what has ended, and after this time. */
    advanceAt: advanceRule(),
    /** How many devices are offered it in a minute. */
    perMinute: z.int().min(1).max(100_000),
    /** ms; a device that has begun and does not run it after this has failed. */
    installMs: z.int().min(60_000).max(604_800_000),
    /** The last device that was looked at, while devices are taken in; absent once all are. */
    enrolledTo: objectId().optional(),
    /** Whether all devices are taken in. */
    enrolled: z.boolean(),
    /** Why it was halted. */
    reason: z.string().max(500).optional(),
    /** The user who has begun it, and is notified when it halts. */
    createdBy: objectId().optional(),
    /** When it ended. */
    endedAt: z.date().optional(),
  },
  indexes: [
    { key: { open: 1, _id: 1 }, partialFilterExpression: { open: true }, serves: 'the roll-outs that go on' },
    { key: { firmware: 1, _id: -1 }, serves: 'the roll-outs of a firmware' },
  ],
})

export type Rollout = Stored<typeof rolloutEntity>
