import { z } from 'zod'
import { instant, objectId } from '../core/fields.js'
import { notificationData, severities, subject } from './notification.js'

export const notificationInputSchema = z.strictObject({
  /** To whom it goes. */
  user: objectId(),
  /** In the host's words, such as `device_offline`. A `price_alert` goes only to users who want those. */
  kind: z.string().min(1).max(100),
  /** `critical` is delivered in quiet hours too. */
  severity: z.enum(severities).default('info'),
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
  /** While the user has one with the same key, no second one is made. */
  deduplicationKey: z.string().min(1).max(200).optional(),
  /** When it goes. @default after `notifications.expireAfterSeconds` */
  expireAt: instant().optional(),
  /** Of the channels that the user wants, only these; none for one that is read in the host alone. @default all of them */
  channels: z.array(z.string().max(50)).max(50).optional(),
})

/** Notification input: what is sent to a user. */
export type NotificationInput = z.input<typeof notificationInputSchema>
