import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { BestEffort, type BestEffortCounts } from '../core/best-effort.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { DatabaseError, NotFoundError } from '../core/errors.js'
import { objectId, toObjectId } from '../core/fields.js'
import { requireOpenData } from '../core/repository/data.js'
import { Reader } from '../core/repository/reader.js'
import { retryCreation } from '../core/retry-on-conflict.js'
import { validateData } from '../core/validate.js'
import type { deliveryEntity, NotificationDelivery } from './delivery.js'
import type { DeliveryRun, DeliveryWorker } from './delivery-worker.js'
import type { Notification } from './notification.js'
import { NotificationFeed, type NotificationListener } from './notification-feed.js'
import { type NotificationInput, notificationInputSchema } from './notification-input.js'
import type { NotificationLimits } from './notification-options.js'
import { isWanted, isWelcome, type Recipient, type Recipients } from './recipients.js'

const startSchema = z.strictObject({
  /** How long each channel rests between two looks at what is due. */
  everyMs: z.int().min(100).max(86_400_000).default(1_000),
})
export type DeliveryStartOptions = z.input<typeof startSchema>

const idsSchema = z.array(objectId()).max(1_000)
const inputSchema = notificationInputSchema
type ParsedInput = z.output<typeof inputSchema>

/** Unread count: how many notifications a user has not read. */
export interface UnreadCount {
  /** 100 at most. */
  readonly count: number
  /** Whether there are more than that. */
  readonly isMore: boolean
}

const mostCounted = 100
/** A user gets a message of a channel each second at most, so that a flood for one delays no other. */
const pacingMs = 1_000
const keptAfterMs = 7 * 86_400_000

export interface NotificationParts {
  readonly deliveries: typeof deliveryEntity
  readonly recipients: Recipients
  readonly worker: DeliveryWorker
  readonly limits: NotificationLimits
}

/** What users are to know: stored for each, read in the host, and delivered by channels as the user prefers. */
export class Notifications extends Reader<Notification> {
  readonly #parts: NotificationParts
  readonly #deliveries: EntityCollection<NotificationDelivery>
  readonly #feed: NotificationFeed
  readonly #posted: BestEffort<NotificationInput>

  constructor(
    database: Database,
    entity: Entity<Notification>,
    parts: NotificationParts,
    documents?: EntityCollection<Notification>,
  ) {
    super(database, entity, documents)
    this.#parts = parts
    this.#deliveries = database.of(parts.deliveries)
    this.#feed = new NotificationFeed(database)
    const write = async ([input]: readonly NotificationInput[]) => {
      if (input !== undefined) await this.send(input)
    }
    this.#posted = new BestEffort(database, { name: 'notifications', write, atOnce: 1 })
  }

  /** @internal */
  override over(documents: EntityCollection<Notification>): Notifications {
    return new Notifications(this.database, this.entity, this.#parts, documents)
  }

  /**
   * Stores a notification, and in the same transaction a delivery for each channel that the user wants. In a transaction of the caller's it
   * takes part in that one.
   * @returns it, or the one that is there with the same de-duplication key; null if the user does not want to know of its kind.
   * @throws ValidationError, NotFoundError if there is no such user.
   */
  async send(input: NotificationInput): Promise<Notification | null> {
    const parsed = validateData(inputSchema, input, 'The notification')
    requireOpenData(this.entity, parsed, 'The notification')
    const found = await this.#parts.recipients.find([parsed.user])
    const recipient = found.get(parsed.user.toHexString())
    if (recipient === undefined) throw new NotFoundError('user', `id ${parsed.user.toHexString()}`)
    if (!isWelcome(parsed.kind, recipient.preferences)) return null
    return retryCreation(this.database, () =>
      this.database.transactions.run(async () => (await this.#withSameKey(parsed)) ?? this.#create(parsed, recipient)),
    )
  }

  /**
   * As {@link send}, beside the work that it reports: it neither fails nor waits, and in a transaction it is done once that has committed.
   * What could not be sent is in {@link posted} and in the log.
   */
  post(input: NotificationInput): void {
    this.#posted.add(input)
  }

  /** What became of what was posted, since the start of this process. */
  posted(): BestEffortCounts {
    return this.#posted.counts()
  }

  /** Marks notifications of a user as read. @returns how many were not. @throws ValidationError for more than 1,000 ids. */
  async markRead(user: ObjectId | string, ids: readonly (ObjectId | string)[]): Promise<number> {
    const own = toObjectId(user)
    return this.#read({ user: own, _id: { $in: validateData(idsSchema, ids, 'The ids') }, unread: true })
  }

  /** Marks all notifications of a user as read. @returns how many were not. */
  async markAllRead(user: ObjectId | string): Promise<number> {
    return this.#read({ user: toObjectId(user), unread: true })
  }

  /** How many notifications the user has not read. */
  async unreadCount(user: ObjectId | string): Promise<UnreadCount> {
    const unread = { user: toObjectId(user), unread: true, expireAt: { $gt: this.database.clock.now() } }
    const options = { limit: mostCounted + 1, projection: { _id: 0, user: 1 } }
    const found = await this.documents.for('unreadCount').find(unread, options)
    return { count: Math.min(found.length, mostCounted), isMore: found.length > mostCounted }
  }

  /**
   * Calls the listener for each notification of the user that is made or changed, from the moment this resolves. All who listen in a process
   * share one change stream.
   * @returns a function that stops it. @throws DatabaseError `REPLICA_SET_REQUIRED` on a standalone server.
   */
  async subscribe(user: ObjectId | string, listener: NotificationListener): Promise<() => void> {
    const own = toObjectId(user)
    if (typeof listener !== 'function') throw new DatabaseError('CONFIGURATION', 'A listener is a function')
    return this.#feed.subscribe(this, own, listener)
  }

  /** What became of a notification, a row for each channel. @throws ValidationError for what is no id. */
  async deliveriesOf(user: ObjectId | string, notification: ObjectId | string): Promise<NotificationDelivery[]> {
    const query = { user: toObjectId(user), notification: toObjectId(notification) }
    return this.#deliveries.for('deliveriesOf').find(query, { sort: { channel: 1 } })
  }

  /** Sends what is due, on every channel. Any number of processes may do it at once. */
  async deliver(): Promise<DeliveryRun> {
    const { limits, worker } = this.#parts
    const channels = [...limits.channels.values()]
    const runs = await Promise.all(channels.map((channel) => worker.deliver(channel, this.database.closing)))
    const sum = (name: keyof DeliveryRun) => runs.reduce((total, run) => total + run[name], 0)
    return {
      delivered: sum('delivered'),
      retried: sum('retried'),
      deferred: sum('deferred'),
      skipped: sum('skipped'),
      failed: sum('failed'),
    }
  }

  /** Sends what is due, each channel on its own, until it is stopped or the handle is closed. @returns a function that stops it. */
  start(options: DeliveryStartOptions = {}): () => Promise<void> {
    const { everyMs } = validateData(startSchema, options, 'The options of the deliveries')
    const { limits, worker } = this.#parts
    const stops = [...limits.channels.values()].map((channel) =>
      this.database.periodic.start({
        name: `notifications by ${channel.name}`,
        everyMs,
        work: (signal) => worker.deliver(channel, signal),
      }),
    )
    return async () => {
      await Promise.all(stops.map((stop) => stop()))
    }
  }

  #read(unread: object): Promise<number> {
    const read = { $set: { unread: false, readAt: this.database.clock.now() } }
    return this.documents.for('markRead').updateMany(unread, read)
  }

  async #withSameKey({ user, deduplicationKey }: ParsedInput): Promise<Notification | null> {
    if (deduplicationKey === undefined) return null
    const found = await this.documents.for('send').findOne({ user, deduplicationKey })
    if (found === null || found.expireAt > this.database.clock.now()) return found
    // The server is about to remove it.
    await this.documents.for('send').deleteOne({ user, _id: found._id })
    return null
  }

  async #create({ channels, ...fields }: ParsedInput, recipient: Recipient): Promise<Notification> {
    const nowMs = this.database.clock.now().getTime()
    const expireAt = fields.expireAt ?? new Date(nowMs + this.#parts.limits.expireAfterMs)
    const stored = await this.documents.for('send').insertOne({ ...fields, unread: true, expireAt })
    const rows = []
    for (const channel of this.#channelsFor(recipient, channels)) {
      rows.push({
        notification: stored._id,
        user: stored.user,
        channel,
        status: 'pending' as const,
        dueAt: await this.#dueAt(stored, channel),
        attempts: 0,
        expireAt: new Date(expireAt.getTime() + keptAfterMs),
      })
    }
    await this.#deliveries.for('send').insert(rows)
    return this.shown(stored)
  }

  #channelsFor({ preferences }: Recipient, asked: readonly string[] | undefined): string[] {
    const wanted = [...this.#parts.limits.channels.values()].filter((channel) => isWanted(channel, preferences))
    return wanted.map(({ name }) => name).filter((name) => asked?.includes(name) ?? true)
  }

  /** Now, or after what the user is to get before by the same channel. */
  async #dueAt({ user, severity }: Notification, channel: string): Promise<Date> {
    const now = this.database.clock.now()
    if (severity === 'critical') return now
    const queue = { user, channel, status: 'pending', digestAt: null }
    const options = { sort: { dueAt: -1 }, projection: { dueAt: 1 } } as const
    const last = await this.#deliveries.for('send').findOne<Pick<NotificationDelivery, 'dueAt'>>(queue, options)
    return new Date(Math.max(now.getTime(), (last?.dueAt.getTime() ?? 0) + pacingMs))
  }
}
