import type { Database } from '../core/database.js'
import { Reader } from '../core/repository/reader.js'
import { deliveryEntity, type NotificationDelivery } from './delivery.js'
import { DeliveryWorker } from './delivery-worker.js'
import { notificationEntity } from './notification.js'
import { type NotificationOptions, notificationLimitsOf } from './notification-options.js'
import { Notifications } from './notifications.js'
import { Outbox } from './outbox.js'
import { type RecipientEntities, Recipients } from './recipients.js'

export type NotificationsCollection = 'notifications' | 'notificationDeliveries'

export const notificationsEntities = {
  notifications: notificationEntity,
  notificationDeliveries: deliveryEntity,
} satisfies Record<NotificationsCollection, object>

/** What notifications bring to the handle. */
export interface NotificationsServices {
  /** What users are to know, and how it reaches them. */
  readonly notifications: Notifications
  /** What became of it, for each channel. */
  readonly notificationDeliveries: Reader<NotificationDelivery>
}

/** @throws DatabaseError `CONFIGURATION` for channels and limits that cannot be used. */
export function openNotifications(
  database: Database,
  entities: typeof notificationsEntities,
  people: RecipientEntities,
  options: NotificationOptions,
): NotificationsServices {
  const limits = notificationLimitsOf(options)
  const { maximumAttempts } = limits
  const { notifications, notificationDeliveries: deliveries } = entities
  const recipients = new Recipients(database, people)
  const outbox = new Outbox(database, deliveries)
  const worker = new DeliveryWorker(database, { notifications, outbox, recipients, maximumAttempts })
  return {
    notifications: new Notifications(database, notifications, { deliveries, recipients, worker, limits }),
    notificationDeliveries: new Reader(database, deliveries),
  }
}
