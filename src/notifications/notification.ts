import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { anyValue, objectId } from '../core/fields.js'

/** `critical` is delivered in quiet hours too. */
export const severities = ['info', 'warning', 'critical'] as const

/** What a notification is about: a document, by its entity's name and its id. */
export const subject = () =>
  z.strictObject({
    /** The name of its entity. */
    entity: z.string().min(1).max(100),
    /** Its id. */
    id: objectId(),
  })

/** What a host adds for its own pages: names without operators and dots. */
export const notificationData = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/** Something that one user is to know. */
export const notificationEntity = defineEntity({
  name: 'notification',
  collection: 'notifications',
  personal: {
    subjects: {
      user: { onErasure: 'delete document' },
      'about.id': { onErasure: 'delete', fields: ['about'] },
    },
    mentions: { in: ['title', 'body', 'data', 'deduplicationKey'], onErasure: 'replace' },
  },
  fields: {
    /** To whom it goes. */
    user: objectId(),
    /** In the host's words, such as `device_offline`. */
    kind: z.string().min(1).max(100),
    /** `critical` is delivered in quiet hours too. */
    severity: z.enum(severities),
    /** What to read first. */
    title: z.string().min(1).max(200),
    /** What to read then. */
    body: z.string().max(4_000).optional(),
    /** What a host adds for its own pages. */
    data: notificationData().optional(),
    /** The document that it is about. */
    about: subject().optional(),
    /** The site that it is about: its zone counts for users who have chosen none. */
    classroom: objectId().optional(),
    /** A second one of the user's with the same key is not made while this one is there. */
    deduplicationKey: z.string().min(1).max(200).optional(),
    /** Whether the user has yet to read it. */
    unread: z.boolean(),
    /** When the user has read it. */
    readAt: z.date().optional(),
    /** When it goes, read or not. */
    expireAt: z.date(),
  },
  shardKey: { user: 1 },
  indexes: [
    {
      key: { user: 1, deduplicationKey: 1 },
      unique: true,
      // Unlike `$exists`, it is implied by any key that is asked for.
      partialFilterExpression: { deduplicationKey: { $gt: '' } },
      serves: 'one notification of a user for each de-duplication key',
    },
    { key: { user: 1, _id: -1 }, serves: 'the notifications of a user, newest first' },
    {
      key: { user: 1, expireAt: 1 },
      partialFilterExpression: { unread: true },
      serves: 'how many notifications a user has not read, and marking them as read',
    },
    { key: { expireAt: 1 }, expireAfterSeconds: 0, serves: 'nobody: the server removes what has expired' },
  ],
})

export type Notification = Stored<typeof notificationEntity>
