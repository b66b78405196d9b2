import type { ObjectId } from 'mongodb'
import { DatabaseError } from '../core/errors.js'
import type { EffectivePreferences } from '../identity/preferences/preference-defaults.js'
import type { Notification } from './notification.js'

/** What a channel is to send to one user. */
export interface ChannelMessage {
  /** The same for every attempt: hand it to the provider as its idempotency key. */
  readonly deliveryId: string
  /** 1 for the first. */
  readonly attempt: number
  readonly user: { readonly _id: ObjectId; readonly name: string; readonly email: string }
  /** Such as the language. */
  readonly preferences: EffectivePreferences
  /** One; after quiet hours all that came meanwhile, oldest first, the newest 100 of them. */
  readonly notifications: readonly Notification[]
  /** How many there are, those left out included. */
  readonly total: number
}

/** A way to reach users: a plug-in of the host's. */
export interface DeliveryChannel {
  /** `email`, `push` and `telegram` go to who wants them by the preferences; other names are the host's own. */
  readonly name: string
  /** Of a channel of the host's own: whether the user wants it. @default everybody does */
  readonly isWanted?: (preferences: EffectivePreferences) => boolean
  /**
   * Sends the message. It may be called again with the same `deliveryId`, if the process was killed before it was known that the message was
   * sent. What it throws is retried with growing pauses, but for a {@link DeliveryRefusedError}.
   * @param signal Aborted after 30 s, and when the handle is closed: the call has to end then.
   */
  deliver(message: ChannelMessage, signal: AbortSignal): Promise<void>
}

/** Thrown by a channel: the message can never be delivered, such as one to an address that does not exist. It is given up at once. */
export class DeliveryRefusedError extends DatabaseError {
  /** @param reason Stored with the delivery, for people. */
  constructor(reason: string) {
    super('DELIVERY_REFUSED', reason)
  }
}
