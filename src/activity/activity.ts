import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../core/entity.js'
import { anyValue, objectId } from '../core/fields.js'

const values = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/** Activity: who moved a switch, and why, as far as the device said so; and what else somebody did to any document. */
export const activityEntity = defineAppendOnlyEntity({
  name: 'activity',
  collection: 'activity_logs',
  personal: {
    subjects: {
      userId: { onErasure: 'delete', fields: ['userName'] },
      entityId: { onErasure: 'delete', fields: ['before', 'after'] },
    },
    mentions: { in: ['userId', 'userName', 'before', 'after', 'source', 'idempotencyKey'], onErasure: 'replace' },
    notPersonal: 'deviceId switchId classroom action cause entity timestamp receivedAt'.split(' '),
  },
  fields: {
    /** The device, where something was done with one. */
    deviceId: objectId().optional(),
    /** The switch that it is of. */
    switchId: objectId().optional(),
    /** The classroom that it was in then. */
    classroom: objectId().optional(),
    /** `switch_on` and `switch_off`; of other documents in the host's words, such as `renamed`. */
    action: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/, { error: 'expected a word such as `switch_on`' }),
    /** What moved it: a command, the wall switch, or what a newer device says. */
    cause: z.enum(['backend', 'manual', 'schedule', 'restore', 'unknown']).optional(),
    /** Who did it; left out for what no user did. */
    userId: z.string().max(128).optional(),
    /** The name that the user had then. */
    userName: z.string().max(256).optional(),
    /** The name of the entity that it was done to, such as `classroom`. */
    entity: z.string().min(1).max(100).optional(),
    /** The id of the document of that entity. */
    entityId: objectId().optional(),
    /** What counts of the document, as it was. */
    before: values().optional(),
    /** What counts of the document, as it is. */
    after: values().optional(),
    /** Where it came from, in the host's words, such as `web` and `import`. */
    source: z.string().min(1).max(100).optional(),
    /** When it happened. */
    timestamp: z.date(),
    /** When the message of it came. */
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
    {
      key: { entityId: 1, timestamp: -1, _id: -1 },
      partialFilterExpression: { entityId: { $gt: new ObjectId('000000000000000000000000') } },
      serves: 'what was done to a document, newest first',
    },
    { key: { userId: 1, timestamp: -1, _id: -1 }, serves: 'what somebody did, newest first' },
  ],
})

export type Activity = Stored<typeof activityEntity>
