import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { objectId } from '../core/fields.js'

/**
 * `pending` waits for its time; `sending` is with a worker; the others are final. `skipped` was not to be sent any more, `failed` was given
 * up; `reason` says why.
 */
const deliveryStatuses = ['pending', 'sending', 'delivered', 'skipped', 'failed'] as const

/** Of one notification on one channel: a row of the outbox. */
export const deliveryEntity = defineEntity({
  name: 'notification delivery',
  collection: 'notification_deliveries',
  personal: { subjects: { user: { onErasure: 'delete document' } } },
  fields: {
    /** What is delivered. */
    notification: objectId(),
    /** To whom. */
    user: objectId(),
    /** By which channel. */
    channel: z.string().min(1).max(50),
    /** How far it is. */
    status: z.enum(deliveryStatuses),
    /** Not sent before. */
    dueAt: z.date(),
    /** How often it was tried. */
    attempts: z.int().min(0),
    /** The end of the quiet hours that it waits for: what waits for the same end goes in one message. */
    digestAt: z.date().optional(),
    /** The worker that has it, until when by the server's clock. */
    claim: z
      .strictObject({
        /** Of the worker's attempt. */
        token: z.string().min(1).max(64),
        /** By the server's clock. */
        until: z.date(),
      })
      .optional(),
    /** Why the last attempt failed, or why it ended without a delivery. */
    reason: z.string().max(500).optional(),
    /** When it was delivered, skipped or given up. */
    endedAt: z.date().optional(),
    /** When it goes: a week after its notification, so that the reason can be read. */
    expireAt: z.date(),
  },
  shardKey: { user: 1 },
  indexes: [
    {
      key: { user: 1, notification: 1, channel: 1 },
      unique: true,
      serves: 'what became of a notification, one row for each channel',
    },
    {
      key: { channel: 1, dueAt: 1, _id: 1 },
      partialFilterExpression: { status: 'pending' },
      serves: 'workers, which take what is due',
    },
    {
      key: { user: 1, channel: 1, dueAt: -1 },
      partialFilterExpression: { status: 'pending' },
      serves: "the last row of a user's queue, and those that wait for the same end of quiet hours",
    },
    {
      key: { 'claim.until': 1 },
      partialFilterExpression: { status: 'sending' },
      serves: 'rows whose worker is gone',
    },
    { key: { 'claim.token': 1 }, partialFilterExpression: { status: 'sending' }, serves: 'the rows of a claim' },
    { key: { status: 1, endedAt: -1, _id: -1 }, serves: 'the last that were given up' },
    { key: { expireAt: 1 }, expireAfterSeconds: 0, serves: 'nobody: the server removes what has expired' },
  ],
})

export type NotificationDelivery = Stored<typeof deliveryEntity>
