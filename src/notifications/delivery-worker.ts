import { setTimeout as sleep } from 'node:timers/promises'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { forEachConcurrently } from '../core/for-each-concurrently.js'
import { redactCredentials } from '../core/redact.js'
import type { NotificationDelivery } from './delivery.js'
import { type DeliveryChannel, DeliveryRefusedError } from './delivery-channel.js'
import type { Notification } from './notification.js'
import { type Claim, claimMs, digestOf, type Outbox } from './outbox.js'
import { deferredUntil, isWanted, type Recipient, type Recipients } from './recipients.js'

/** Delivery run: what a call of `deliver` has done, in rows of the outbox. */
export interface DeliveryRun {
  readonly delivered: number
  /** Tried in vain; they are tried again. */
  readonly retried: number
  /** Put off to the end of quiet hours. */
  readonly deferred: number
  /** Not to be sent any more: read already, expired, not wanted. */
  readonly skipped: number
  /** Given up. */
  readonly failed: number
}

type Outcome = keyof DeliveryRun
type Counts = { -readonly [Name in Outcome]: number }

const messagesAtOnce = 8
const longestDeliveryMs = 30_000
/** How long a channel may take to notice that its time is over. */
const graceMs = 10_000
/** A message is begun only while there is time for it before others may take it over. */
const latestStartMs = claimMs - longestDeliveryMs - graceMs - 5_000
const firstPauseMs = 5_000
const longestPauseMs = 3_600_000
const shownNotifications = 100

/** What the rows of a claim are about. */
interface Context {
  readonly claim: Claim
  readonly channel: DeliveryChannel
  readonly notifications: ReadonlyMap<string, Notification>
  readonly recipients: ReadonlyMap<string, Recipient>
  readonly timeZones: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  readonly counts: Counts
}

export interface WorkerParts {
  readonly notifications: Entity<Notification>
  readonly outbox: Outbox
  readonly recipients: Recipients
  readonly maximumAttempts: number
}

/** Sends what is due on a channel. */
export class DeliveryWorker {
  readonly #database: Database
  readonly #parts: WorkerParts
  readonly #notifications: EntityCollection<Notification>

  constructor(database: Database, parts: WorkerParts) {
    this.#database = database
    this.#parts = parts
    this.#notifications = database.of(parts.notifications)
  }

  /** Until nothing is due, or the signal. */
  async deliver(channel: DeliveryChannel, signal: AbortSignal): Promise<DeliveryRun> {
    const { outbox, maximumAttempts } = this.#parts
    const counts: Counts = { delivered: 0, retried: 0, deferred: 0, skipped: 0, failed: 0 }
    await outbox.sweep(maximumAttempts)
    while (!signal.aborted) {
      const claim = await outbox.claim(channel.name)
      if (claim === null) break
      if (claim.rows.length === 0) await sleep(Math.random() * 100)
      else await this.#deliverClaim(claim, channel, signal, counts)
    }
    return counts
  }

  async #deliverClaim(claim: Claim, channel: DeliveryChannel, signal: AbortSignal, counts: Counts): Promise<void> {
    const context = { ...(await this.#contextOf(claim, channel)), signal, counts }
    await forEachConcurrently(messagesOf(claim.rows), messagesAtOnce, async (rows) => {
      const isLate = performance.now() - claim.claimedMs > latestStartMs
      if (isLate || signal.aborted) await this.#parts.outbox.release(rows)
      else counts[await this.#deliverMessage(rows, context)] += rows.length
    })
  }

  async #contextOf(claim: Claim, channel: DeliveryChannel) {
    const ids = claim.rows.map(({ notification }) => notification)
    const users = claim.rows.map(({ user }) => user)
    const found = await this.#notifications.for('deliver').find({ user: { $in: users }, _id: { $in: ids } })
    const classrooms = found.flatMap(({ classroom }) => classroom ?? [])
    return {
      claim,
      channel,
      notifications: new Map(found.map((one) => [one._id.toHexString(), one])),
      recipients: await this.#parts.recipients.find(users),
      timeZones: await this.#parts.recipients.timeZones(classrooms),
    }
  }

  /** Deals with rows of one user that go in one message. */
  async #deliverMessage(rows: readonly NotificationDelivery[], context: Context): Promise<Outcome> {
    const { outbox } = this.#parts
    const now = this.#database.clock.now()
    const recipient = context.recipients.get(rows[0]?.user.toHexString() ?? '')
    if (recipient === undefined) return this.#skip(rows, 'the user is not there any more')
    const notifications = rows.flatMap((row) => context.notifications.get(row.notification.toHexString()) ?? [])
    const current = notifications.filter(({ unread, expireAt }) => unread && expireAt > now)
    const [first] = current
    if (first === undefined) return this.#skip(rows, 'it was read already, or has expired')
    try {
      if (!isWanted(context.channel, recipient.preferences))
        return await this.#skip(rows, 'the user does not want this channel')
      const until = deferredUntil(recipient, first, now, context.timeZones)
      if (until !== null && !isWholeDay(rows, recipient)) {
        await outbox.defer(rows, until)
        return 'deferred'
      }
      await this.#call(rows, current, recipient, context)
    } catch (error) {
      return this.#failed(rows, error)
    }
    await outbox.deliver(rows)
    return 'delivered'
  }

  async #call(
    rows: readonly NotificationDelivery[],
    notifications: readonly Notification[],
    { user, preferences }: Recipient,
    { channel, signal }: Context,
  ): Promise<void> {
    const [first] = rows
    const message = {
      deliveryId: String(first?._id),
      attempt: Math.max(...rows.map(({ attempts }) => attempts)),
      user,
      preferences,
      notifications: notifications.slice(-shownNotifications),
      total: notifications.length,
    }
    const limit = AbortSignal.any([signal, AbortSignal.timeout(longestDeliveryMs)])
    const over = new AbortController()
    // A channel that does not heed its signal is waited for a little: it may be sending still.
    const late = sleep(longestDeliveryMs + graceMs, undefined, { signal: over.signal, ref: false }).then(() => {
      throw new Error(`the channel did not end within ${longestDeliveryMs} ms`)
    })
    try {
      await Promise.race([channel.deliver(message, limit), late])
    } finally {
      over.abort()
      late.catch(() => undefined)
    }
  }

  async #skip(rows: readonly NotificationDelivery[], reason: string): Promise<Outcome> {
    await this.#parts.outbox.skip(rows, reason)
    return 'skipped'
  }

  async #failed(rows: readonly NotificationDelivery[], error: unknown): Promise<Outcome> {
    const { outbox, maximumAttempts } = this.#parts
    const reason = redactCredentials(error instanceof Error ? error.message : String(error)).slice(0, 500)
    const attempts = Math.max(...rows.map((row) => row.attempts))
    if (error instanceof DeliveryRefusedError || attempts >= maximumAttempts) {
      await outbox.giveUp(rows, reason)
      return 'failed'
    }
    const pauseMs = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs) * (0.75 + Math.random() / 2)
    await outbox.retry(rows, new Date(this.#database.clock.now().getTime() + pauseMs), reason)
    return 'retried'
  }
}

/** Rows by the messages that they go in: those that waited for the same end of quiet hours go in one. */
function messagesOf(rows: readonly NotificationDelivery[]): NotificationDelivery[][] {
  const messages = new Map<string, NotificationDelivery[]>()
  for (const row of rows) {
    const key = row.digestAt === undefined ? row._id.toHexString() : digestOf(row)
    messages.set(key, [...(messages.get(key) ?? []), row])
  }
  return [...messages.values()]
}

/** Whether the quiet hours are the whole day, and the rows have waited for their end once: such a user has one message a day. */
function isWholeDay(rows: readonly NotificationDelivery[], { preferences }: Recipient): boolean {
  const { quietHours } = preferences.notifications
  return quietHours !== undefined && quietHours.from === quietHours.to && rows[0]?.digestAt !== undefined
}
