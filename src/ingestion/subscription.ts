import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'

/**
 * A topic filter that an MQTT session may have at its broker. A broker does not report what a session is subscribed to, so it
 * is noted before: what no decoder wants any more can then be unsubscribed.
 */
export const subscriptionEntity = defineEntity({
  name: 'subscription',
  collection: 'ingest_subscriptions',
  personal: 'none',
  fields: {
    /** The MQTT client id whose session it is. */
    session: z.string().min(1).max(200),
    /** The broker's protocol and host. */
    broker: z.string().max(300),
    filter: z.string().min(1).max(65_535),
  },
  shardKey: { session: 1 },
  indexes: [{ key: { session: 1, broker: 1, filter: 1 }, unique: true, serves: 'what a session may be subscribed to' }],
})

export type Subscription = Stored<typeof subscriptionEntity>
