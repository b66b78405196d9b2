import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../core/entity.js'
import { objectId } from '../core/fields.js'

/** Who moved a switch, and why, as far as the device said so. */
export const activityEntity = defineAppendOnlyEntity({
  name: 'activity',
  collection: 'activity_logs',
  fields: {
    deviceId: objectId(),
    switchId: objectId().optional(),
    classroom: objectId(),
    action: z.enum(['switch_on', 'switch_off']),
    /** What moved it: a command, the wall switch, or what a newer device says. */
    cause: z.enum(['backend', 'manual', 'schedule', 'restore', 'unknown']),
    userId: z.string().max(128).optional(),
    userName: z.string().max(256).optional(),
    timestamp: z.date(),
    receivedAt: z.date(),
    /** The message that it came from: a repeated one is not logged twice. */
    idempotencyKey: z.string().min(1).max(200),
  },
  shardKey: { deviceId: 1 },
  indexes: [
    { key: { deviceId: 1, idempotencyKey: 1 }, unique: true, serves: 'one activity per message' },
    { key: { deviceId: 1, timestamp: -1, _id: -1 }, serves: 'the activities of a device, newest first' },
    { key: { classroom: 1, timestamp: -1, _id: -1 }, serves: 'the activities of a classroom, newest first' },
    { key: { timestamp: -1, _id: -1 }, serves: 'the last activities' },
  ],
})

export type Activity = Stored<typeof activityEntity>
