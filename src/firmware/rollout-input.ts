import { createHash } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { objectId } from '../core/fields.js'
import { advanceRule, haltRule, stageList } from './rollout.js'

export const rolloutInputSchema = z.strictObject({
  /** The image, which has to be ready. */
  firmware: objectId(),
  /** Percentages of the devices, one stage after the other. @default 1, 10, 50, 100 */
  stages: stageList().default([1, 10, 50, 100]),
  /** Devices that are in the first stage whatever their share. */
  allowed: z.array(objectId()).max(10_000).default([]),
  /** Only devices of these classrooms. @default all devices of the board */
  classrooms: z.array(objectId()).min(1).max(10_000).optional(),
  /** It halts at so many failures that are more than this percentage of what has ended. @default 3, 10 % */
  haltAt: haltRule().default({ minimum: 3, percent: 10 }),
  /** The next stage begins at so many successes that are this percentage of what has ended, and after this time. @default 1, 90 %, an hour */
  advanceAt: advanceRule().default({ minimum: 1, percent: 90, soakMs: 3_600_000 }),
  /** How many devices are offered it in a minute. @default 100 */
  perMinute: z.int().min(1).max(100_000).default(100),
  /** ms; a device that has begun and does not run it after this has failed. @default an hour */
  installMs: z.int().min(60_000).max(604_800_000).default(3_600_000),
  /** The user who begins it, and is notified when it halts. */
  createdBy: objectId().optional(),
})

/** Roll-out input: which firmware goes to which devices, and how carefully. */
export type RolloutInput = z.input<typeof rolloutInputSchema>

/**
 * The device's place among all, in percent: the same whenever it is computed, and another one in the next roll-out, so that not always the
 * same devices are the first.
 */
export function shareOf(rollout: ObjectId, device: ObjectId): number {
  const digest = createHash('sha256').update(rollout.toHexString()).update(device.toHexString()).digest()
  return (Number(digest.readBigUInt64BE(0) >> 11n) / 2 ** 53) * 100
}
