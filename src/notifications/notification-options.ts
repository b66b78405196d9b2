import { z } from 'zod'
import { DatabaseError, ValidationError } from '../core/errors.js'
import { callback } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'
import type { DeliveryChannel } from './delivery-channel.js'

export interface NotificationOptions {
  readonly notifications?: {
    /** The ways to reach users. Every process of the host has the same ones. @default none: notifications are read in the host alone */
    readonly channels?: readonly DeliveryChannel[]
    /** Seconds after which notifications go, unless they say so themselves. @default 7 776 000, 90 days */
    readonly expireAfterSeconds?: number
    /** How often a delivery is tried, with pauses from 5 s up to an hour. @default 10, about three hours */
    readonly maximumAttempts?: number
  }
}

export interface NotificationLimits {
  readonly channels: ReadonlyMap<string, DeliveryChannel>
  readonly expireAfterMs: number
  readonly maximumAttempts: number
}

const channelSchema = z.looseObject({
  name: z.string().regex(/^[a-z][a-z0-9_-]{0,49}$/, { error: 'expected a name such as `sms`' }),
  isWanted: callback<NonNullable<DeliveryChannel['isWanted']>>().optional(),
  deliver: callback<DeliveryChannel['deliver']>(),
})

const optionsSchema = z.strictObject({
  channels: z.array(channelSchema).max(50).default([]),
  expireAfterSeconds: z.int().min(1).max(3_153_600_000).default(7_776_000),
  maximumAttempts: z.int().min(1).max(100).default(10),
})

/** @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function notificationLimitsOf({ notifications = {} }: NotificationOptions): NotificationLimits {
  const { expireAfterSeconds, maximumAttempts } = validOptions(notifications)
  const channels = notifications.channels ?? []
  const byName = new Map(channels.map((channel) => [channel.name, channel]))
  if (byName.size < channels.length) throw new DatabaseError('CONFIGURATION', 'Two channels have the same name')
  return { channels: byName, expireAfterMs: expireAfterSeconds * 1_000, maximumAttempts }
}

function validOptions(options: unknown): z.output<typeof optionsSchema> {
  try {
    return validateData(optionsSchema, options, 'The options of notifications')
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new DatabaseError('CONFIGURATION', error.message)
  }
}
