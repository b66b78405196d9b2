import { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { Budget } from './budget.js'
import { type IngestWindow, ingestWindowEntity } from './ingest-window.js'

/** A delivered message, as MQTT identifies it. */
export interface Delivery {
  readonly packetId: number
  readonly digest: string
  /** Whether the broker says that it delivers the message again. */
  readonly isRepeated: boolean
}

/** Packet ids have 16 bits: no more messages than these can be in flight. */
const maximumInFlight = 65_535
/** What a message that was taken takes in memory, about. */
const deliveryBytes = 150
/** Batches that are dropped in one write. */
const droppedAtOnce = 32

/**
 * Remembers which messages of an MQTT session were taken. A message that is delivered again, because its acknowledgement
 * did not reach the broker, has the packet id and the content of one of the last that were.
 */
export class IngestWindowStore {
  readonly #database: Database
  readonly #collectionName: string
  readonly #session: string
  /** The digest of the last message with each packet id. */
  readonly #taken = new Map<number, string>()
  /** The batches that are stored and can still matter, oldest first, and how many messages each has. */
  #windows: { readonly batch: number; readonly count: number }[] = []
  #batch = 0
  /** When the last batch was stored; undefined if there was none. */
  #storedAt: Date | undefined

  constructor(database: Database, collection: string, session: string) {
    this.#database = database
    this.#collectionName = collection
    this.#session = session
  }

  get storedAt(): Date | undefined {
    return this.#storedAt
  }

  /** Reads what earlier batches, of this process or another, have taken, and drops what is too old to matter. */
  async load(): Promise<void> {
    this.#taken.clear()
    const windows = await this.#database.run(ingestWindowEntity, 'load', () =>
      this.#collection
        .find({ session: this.#session }, { sort: { batch: -1 } })
        .limit(maximumInFlight)
        .toArray(),
    )
    let count = 0
    const needed = windows.filter(({ messages }) => {
      const isNeeded = count < maximumInFlight
      count += messages.length
      return isNeeded
    })
    for (const { messages } of needed.toReversed()) for (const message of messages) this.#note(message)
    this.#batch = windows[0]?.batch ?? 0
    this.#storedAt = windows[0]?.storedAt
    this.#windows = needed.toReversed().map(({ batch, messages }) => ({ batch, count: messages.length }))
    await this.#prune()
  }

  /** What is remembered of messages in flight. */
  get budget(): Budget {
    return { bytes: this.#taken.size * deliveryBytes, maximumBytes: (maximumInFlight + 1) * deliveryBytes }
  }

  /** Drops the batches before the last ones that together have as many messages as can be in flight. */
  async dropOld(): Promise<void> {
    let count = this.#windows.reduce((total, window) => total + window.count, 0)
    const kept = this.#windows.filter((window) => {
      count -= window.count
      return count < maximumInFlight
    })
    if (this.#windows.length - kept.length < droppedAtOnce) return
    this.#windows = kept
    await this.#prune()
  }

  async #prune(): Promise<void> {
    const oldest = this.#windows[0]?.batch
    if (oldest === undefined) return
    await this.#database.run(ingestWindowEntity, 'prune', () =>
      this.#collection.deleteMany({ session: this.#session, batch: { $lt: oldest } }),
    )
  }

  /** Reads again. @returns whether a batch was stored that was not remembered. */
  async reload(): Promise<boolean> {
    const known = this.#batch
    await this.load()
    return this.#batch > known
  }

  /** The messages without those that repeat one that was taken, or one another. */
  withoutTaken<Message extends { readonly delivery: Delivery | undefined }>(messages: readonly Message[]): Message[] {
    const now = new Map<number, string>()
    return messages.filter(({ delivery }) => {
      if (delivery === undefined) return true
      const digest = shortDigest(delivery.digest)
      const known = now.get(delivery.packetId) ?? this.#taken.get(delivery.packetId)
      now.set(delivery.packetId, digest)
      return !(delivery.isRepeated && known === digest)
    })
  }

  /** Stores, in the caller's transaction, that these are taken. Not remembered until {@link remember} says that it held. */
  async store(deliveries: readonly Delivery[]): Promise<void> {
    const window: IngestWindow = {
      _id: new ObjectId(),
      session: this.#session,
      batch: this.#batch + 1,
      messages: deliveries.map(toText),
      storedAt: this.#database.clock.now(),
    }
    await this.#database.run(ingestWindowEntity, 'store', (session) =>
      this.#collection.insertOne(window, session === undefined ? {} : { session }),
    )
  }

  remember(deliveries: readonly Delivery[]): void {
    this.#batch += 1
    this.#windows.push({ batch: this.#batch, count: deliveries.length })
    this.#storedAt = this.#database.clock.now()
    for (const delivery of deliveries) this.#note(toText(delivery))
  }

  #note(message: string): void {
    const [packetId = '', digest = ''] = message.split(':')
    this.#taken.set(Number(packetId), digest)
  }

  get #collection() {
    return this.#database.native.collection<IngestWindow>(this.#collectionName)
  }
}

function toText({ packetId, digest }: Delivery): string {
  return `${packetId}:${shortDigest(digest)}`
}

function shortDigest(digest: string): string {
  return digest.slice(0, 24)
}
