import { hash } from 'node:crypto'
import { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { Repository } from '../core/repository/repository.js'
import { SecretFields } from '../core/repository/secret-fields.js'
import { normalizeMacAddress } from '../devices/mac-address.js'
import {
  type QuarantinedMessage,
  type QuarantinedMessageInput,
  type QuarantineReason,
  quarantineEntity,
} from './quarantine.js'
import { shownPayload } from './shown-payload.js'

/** A message as it came. */
export interface RawMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly receivedAt: Date
  /** Whether the broker had kept it: it was said at some time before. */
  readonly isRetained?: boolean | undefined
}

/** A message that cannot be used, and why. */
export interface Refusal {
  readonly message: RawMessage
  readonly reason: QuarantineReason
  readonly detail: string
  readonly macAddress?: string | undefined
}

/** How long, and how many, quarantined messages are kept. */
export interface QuarantineLimits {
  readonly maximumAgeMs: number
  readonly maximumMessages: number
}

export const defaultQuarantineLimits: QuarantineLimits = { maximumAgeMs: 30 * 86_400_000, maximumMessages: 100_000 }

const pruneBatch = 1000

/** Keeps the messages that could not be used: whole, encrypted, each once. */
export class QuarantineStore {
  readonly #database: Database
  readonly repository: Repository<QuarantinedMessage, QuarantinedMessageInput>
  readonly #counters: string
  readonly #secrets: SecretFields

  /** @param counters The collection of the ingest counters. */
  constructor(
    database: Database,
    repository: Repository<QuarantinedMessage, QuarantinedMessageInput>,
    counters: string,
  ) {
    this.#database = database
    this.repository = repository
    this.#counters = counters
    this.#secrets = new SecretFields(database, repository.entity)
  }

  /** Stores the messages; takes part in the caller's transaction. */
  async add(refusals: readonly Refusal[]): Promise<void> {
    if (refusals.length === 0) return
    const writes = [...merged(refusals).values()].map((refusal) => this.#write(refusal))
    await this.#database.run(quarantineEntity, 'quarantine', (session) =>
      this.#collection.bulkWrite(writes, { ordered: false, ...(session === undefined ? {} : { session }) }),
    )
  }

  /** The payload as it came. */
  async payloadOf(message: Pick<QuarantinedMessage, '_id'>): Promise<Buffer> {
    return Buffer.from(await this.repository.revealSecret(message._id, 'payload'), 'base64')
  }

  /** How many messages there are, by reason. */
  async countByReason(): Promise<Partial<Record<QuarantineReason, number>>> {
    const groups = await this.#database.run(quarantineEntity, 'countByReason', (session) =>
      this.#collection
        .aggregate(
          [{ $sort: { reason: 1 } }, { $group: { _id: '$reason', count: { $sum: 1 } } }],
          session === undefined ? {} : { session },
        )
        .toArray(),
    )
    return Object.fromEntries(groups.map((group) => [group._id, group.count]))
  }

  /** Drops what is too old or too much, the oldest first, and counts it. @returns how many were dropped. */
  async prune(limits: QuarantineLimits): Promise<number> {
    const before = new Date(this.#database.clock.now().getTime() - limits.maximumAgeMs)
    const byAge = await this.#drop('age', { lastReceivedAt: { $lt: before } }, Number.MAX_SAFE_INTEGER)
    const count = await this.#collection.estimatedDocumentCount()
    const bySize = count > limits.maximumMessages ? await this.#drop('size', {}, count - limits.maximumMessages) : 0
    return byAge + bySize
  }

  /** How many messages were dropped so far. */
  async dropped(): Promise<{ readonly age: number; readonly size: number }> {
    const counters = await this.#database.native
      .collection(this.#counters)
      .find({ name: { $in: ['quarantine.dropped.age', 'quarantine.dropped.size'] } })
      .toArray()
    const count = (cause: string) =>
      Number(counters.find(({ name }) => name === `quarantine.dropped.${cause}`)?.count ?? 0)
    return { age: count('age'), size: count('size') }
  }

  get #collection() {
    return this.#database.native.collection(this.repository.entity.collection)
  }

  #write({ message, reason, detail, macAddress, occurrences, lastReceivedAt }: MergedRefusal) {
    const now = this.#database.clock.now()
    const _id = new ObjectId()
    const payload = Buffer.from(message.payload).toString('base64')
    const fields = {
      _id,
      topic: message.topic.slice(0, 1024),
      reason,
      detail: detail.slice(0, 500),
      shownPayload: shownPayload(message.payload),
      payloadBytes: message.payload.byteLength,
      digest: digestOf(message),
      ...(macAddress === undefined ? {} : { macAddress: shownMacAddress(macAddress) }),
      receivedAt: message.receivedAt,
      replays: 0,
      payload: this.#secrets.seal('payload', _id, payload),
      createdAt: now,
    }
    const update = {
      $setOnInsert: fields,
      $set: { updatedAt: now },
      $max: { lastReceivedAt },
      $inc: { occurrences, __v: 1 },
    }
    return { updateOne: { filter: { digest: fields.digest }, update, upsert: true } }
  }

  /** Deletes and counts in one transaction, so that no message goes uncounted. */
  async #drop(cause: 'age' | 'size', filter: object, most: number): Promise<number> {
    let dropped = 0
    while (dropped < most) {
      const limit = Math.min(pruneBatch, most - dropped)
      const count = await this.#database.transactions.run(() => this.#dropBatch(cause, filter, limit))
      dropped += count
      if (count < limit) break
    }
    return dropped
  }

  #dropBatch(cause: 'age' | 'size', filter: object, limit: number): Promise<number> {
    return this.#database.run(quarantineEntity, 'prune', async (session) => {
      const options = session === undefined ? {} : { session }
      const oldest = await this.#collection
        .find(filter, { ...options, sort: { lastReceivedAt: 1, _id: 1 }, limit, projection: { _id: 1 } })
        .toArray()
      if (oldest.length === 0) return 0
      const { deletedCount } = await this.#collection.deleteMany(
        { _id: { $in: oldest.map(({ _id }) => _id) } },
        options,
      )
      const now = this.#database.clock.now()
      await this.#database.native
        .collection(this.#counters)
        .updateOne(
          { name: `quarantine.dropped.${cause}` },
          { $inc: { count: deletedCount, __v: 1 }, $set: { updatedAt: now }, $setOnInsert: { createdAt: now } },
          { ...options, upsert: true },
        )
      return deletedCount
    })
  }
}

/** The address as devices have it; what is none stays as it was written. */
export function shownMacAddress(text: string): string {
  return normalizeMacAddress(text) ?? text.slice(0, 64)
}

type MergedRefusal = Refusal & { readonly occurrences: number; readonly lastReceivedAt: Date }

/** One refusal per message: a bulk write may not create the same document twice. */
function merged(refusals: readonly Refusal[]): Map<string, MergedRefusal> {
  const byDigest = new Map<string, MergedRefusal>()
  for (const refusal of refusals) {
    const digest = digestOf(refusal.message)
    const known = byDigest.get(digest)
    byDigest.set(digest, {
      ...(known ?? refusal),
      occurrences: (known?.occurrences ?? 0) + 1,
      lastReceivedAt: refusal.message.receivedAt,
    })
  }
  return byDigest
}

/** SHA-256 of topic and payload, in hexadecimal. */
export function digestOf({ topic, payload }: Pick<RawMessage, 'topic' | 'payload'>): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${topic}\0`), payload]), 'hex')
}
