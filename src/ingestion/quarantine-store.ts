import { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { Repository } from '../core/repository/repository.js'
import { SecretFields } from '../core/repository/secret-fields.js'
import { normalizeMacAddress } from '../devices/mac-address.js'
import type { Budget } from './budget.js'
import type { DeviceDirectory } from './device-directory.js'
import {
  type QuarantinedMessage,
  type QuarantinedMessageInput,
  type QuarantineReason,
  quarantineEntity,
} from './quarantine.js'
import type { Incoming, QuarantineSpace } from './quarantine-space.js'
import { digestOf, maximumTopicLength, type RawMessage } from './raw-message.js'
import { shownPayload } from './shown-payload.js'

/** A message that cannot be used, and why. */
export interface Refusal {
  readonly message: RawMessage
  readonly reason: QuarantineReason
  readonly detail: string
  readonly macAddress?: string | undefined
}

/** Keeps the messages that could not be used: whole, encrypted, each once. */
export class QuarantineStore {
  readonly #database: Database
  readonly repository: Repository<QuarantinedMessage, QuarantinedMessageInput>
  readonly #space: QuarantineSpace
  readonly #directory: DeviceDirectory
  readonly #secrets: SecretFields

  constructor(
    database: Database,
    repository: Repository<QuarantinedMessage, QuarantinedMessageInput>,
    space: QuarantineSpace,
    directory: DeviceDirectory,
  ) {
    this.#database = database
    this.repository = repository
    this.#space = space
    this.#directory = directory
    this.#secrets = new SecretFields(database, repository.entity)
  }

  /** What it takes of what it may take. */
  get budget(): Budget {
    return this.#space.budget
  }

  /** Stores the messages, as far as there is room for them; takes part in the caller's transaction. */
  async add(refusals: readonly Refusal[]): Promise<void> {
    const kept = [...merged(refusals).values()].map((refusal) => this.#kept(refusal))
    const writes = (await this.#space.makeRoomFor(kept)).map((one) => this.#write(one))
    if (writes.length === 0) return
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

  /** Drops what is too old or too much, and counts it. @returns how many were dropped. */
  prune(): Promise<number> {
    return this.#space.prune()
  }

  /** How many messages were dropped so far. */
  dropped(): Promise<{ readonly age: number; readonly size: number }> {
    return this.#space.dropped()
  }

  get #collection() {
    return this.#database.native.collection(this.repository.entity.collection)
  }

  #kept({ message, reason, detail, macAddress, occurrences, lastReceivedAt }: MergedRefusal): KeptMessage {
    const _id = new ObjectId()
    const address = macAddress === undefined ? undefined : normalizeMacAddress(macAddress)
    const fields = {
      _id,
      topic: message.topic.slice(0, maximumTopicLength),
      reason,
      detail: detail.slice(0, 500),
      shownPayload: shownPayload(message.payload),
      payloadBytes: message.whole?.payloadBytes ?? message.payload.byteLength,
      digest: digestOf(message),
      isRetained: message.isRetained === true,
      ...(address !== undefined && { macAddress: address }),
      receivedAt: message.receivedAt,
      replays: 0,
      payload: this.#secrets.seal('payload', _id, Buffer.from(message.payload).toString('base64')),
      createdAt: this.#database.clock.now(),
    }
    const source = this.#sourceOf(message.topic, address)
    const storedBytes = otherBytes + fields.payload.length + fields.shownPayload.length + fields.topic.length
    return { fields, source, storedBytes, occurrences, lastReceivedAt }
  }

  /** On a topic that has no address in it anybody may name any device: what comes there does not push out the device's own. */
  #sourceOf(topic: string, address: string | undefined): string {
    if (address === undefined || this.#directory.find({ macAddress: address }) === undefined) return 'others'
    const isOwn = topic.split('/').some((level) => normalizeMacAddress(level) === address)
    return isOwn ? address : `shared ${address}`
  }

  #write({ fields, source, storedBytes, occurrences, lastReceivedAt }: KeptMessage) {
    const { digest, isRetained, createdAt } = fields
    const update = {
      $setOnInsert: { ...fields, source, storedBytes },
      $set: { updatedAt: createdAt },
      $max: { lastReceivedAt },
      $inc: { occurrences, __v: 1 },
    }
    return { updateOne: { filter: { digest, isRetained }, update, upsert: true } }
  }
}

/** What a message takes in the database besides its texts. */
const otherBytes = 800

/** A message as it is stored. */
interface KeptMessage extends Incoming {
  readonly fields: StoredFields
  readonly occurrences: number
  readonly lastReceivedAt: Date
}

interface StoredFields {
  readonly digest: string
  readonly isRetained: boolean
  readonly createdAt: Date
}

type MergedRefusal = Refusal & { readonly occurrences: number; readonly lastReceivedAt: Date }

/** One refusal per message: a bulk write may not create the same document twice. */
function merged(refusals: readonly Refusal[]): Map<string, MergedRefusal> {
  const byMessage = new Map<string, MergedRefusal>()
  for (const refusal of refusals) {
    const { message } = refusal
    const key = `${digestOf(message)} ${message.isRetained === true}`
    const known = byMessage.get(key)
    byMessage.set(key, {
      ...(known ?? refusal),
      occurrences: (known?.occurrences ?? 0) + 1,
      lastReceivedAt: message.receivedAt,
    })
  }
  return byMessage
}
