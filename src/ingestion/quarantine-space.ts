import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { type Budget, levelWithin } from './budget.js'
import type { IngestCounter, QuarantinedMessage } from './quarantine.js'

/** Quarantine limits: how long, and how many, quarantined messages are kept, and what they may take. */
export interface QuarantineLimits {
  readonly maximumAgeMs: number
  readonly maximumMessages: number
  /** Of storage, as the messages are stored. */
  readonly maximumBytes: number
}

export const defaultQuarantineLimits: QuarantineLimits = {
  maximumAgeMs: 30 * 86_400_000,
  maximumMessages: 100_000,
  maximumBytes: 256 * 1024 * 1024,
}

/** A message that is to be stored. */
export type Incoming = Pick<QuarantinedMessage, 'source' | 'storedBytes'>

interface Amounts {
  bytes: number
  count: number
}

type Measure = keyof Amounts
type Dropped = 'age' | 'size'

const dropBatch = 1000
/** What this process writes of a limit before it looks again what is there: others write too. */
const unmeasuredShare = 1 / 16
/** To so much of a limit it is emptied where it is full: else every message would make room for itself. */
const filledShare = 15 / 16

/** Keeps the quarantine within its limits, when it is written: what is dropped for size is the oldest of the largest sources. */
export class QuarantineSpace {
  readonly #database: Database
  readonly #messages: EntityCollection<QuarantinedMessage>
  readonly #counters: EntityCollection<IngestCounter>
  readonly #limits: QuarantineLimits
  /** By source, as last measured and with what was written since; undefined before it was measured. */
  #sources: Map<string, Amounts> | undefined
  #written: Amounts = { bytes: 0, count: 0 }

  constructor(
    database: Database,
    messages: EntityCollection<QuarantinedMessage>,
    counters: EntityCollection<IngestCounter>,
    limits: QuarantineLimits,
  ) {
    this.#database = database
    this.#messages = messages
    this.#counters = counters
    this.#limits = limits
  }

  /** As last measured, and with what this process has written since. */
  get budget(): Budget {
    return { bytes: this.#total('bytes'), maximumBytes: this.#limits.maximumBytes }
  }

  /** Makes room for the messages, outside the caller's transaction. @returns those that have room. */
  async makeRoomFor<Message extends Incoming>(messages: readonly Message[]): Promise<readonly Message[]> {
    return this.#database.transactions.outside(async () => {
      if (this.#sources === undefined || this.#hasWrittenMuch()) await this.#measure()
      const stored = await this.#makeRoom('bytes', await this.#makeRoom('count', messages))
      for (const message of stored) this.#add(message)
      return stored
    })
  }

  /** How many messages were dropped so far. */
  async dropped(): Promise<Readonly<Record<Dropped, number>>> {
    const names = { age: 'quarantine.dropped.age', size: 'quarantine.dropped.size' } as const
    const counters = await this.#counters.for('dropped').find({ name: { $in: Object.values(names) } })
    const countOf = (wanted: string) => counters.find(({ name }) => name === wanted)?.count ?? 0
    return { age: countOf(names.age), size: countOf(names.size) }
  }

  /** Drops what is too old, and what is too much though nothing is written. @returns how many messages were dropped. */
  async prune(): Promise<number> {
    const before = new Date(this.#database.clock.now().getTime() - this.#limits.maximumAgeMs)
    const byAge = await this.#drop('age', { lastReceivedAt: { $lt: before } }, 'count', Number.POSITIVE_INFINITY)
    await this.#measure()
    const countBefore = this.#total('count')
    await this.#makeRoom('bytes', await this.#makeRoom('count', []))
    return byAge.count + countBefore - this.#total('count')
  }

  #hasWrittenMuch(): boolean {
    const { maximumBytes, maximumMessages } = this.#limits
    const { bytes, count } = this.#written
    return bytes > maximumBytes * unmeasuredShare || count > maximumMessages * unmeasuredShare
  }

  #total(measure: Measure): number {
    return [...(this.#sources?.values() ?? [])].reduce((total, amounts) => total + amounts[measure], 0)
  }

  #amountsOf(source: string): Amounts {
    const known = this.#sources?.get(source)
    if (known !== undefined) return known
    const amounts = { bytes: 0, count: 0 }
    this.#sources?.set(source, amounts)
    return amounts
  }

  #add({ source, storedBytes }: Incoming): void {
    for (const amounts of [this.#written, this.#amountsOf(source)]) {
      amounts.bytes += storedBytes
      amounts.count += 1
    }
  }

  async #measure(): Promise<void> {
    const groups = await this.#messages
      .for('measure')
      .aggregate<{ readonly _id: string; readonly bytes: number; readonly count: number }>([
        { $sort: { source: 1, lastReceivedAt: 1, _id: 1 } },
        { $group: { _id: '$source', bytes: { $sum: '$storedBytes' }, count: { $sum: 1 } } },
      ])
    this.#sources = new Map(groups.map(({ _id, bytes, count }) => [_id, { bytes, count }]))
    this.#written = { bytes: 0, count: 0 }
  }

  async #makeRoom<Message extends Incoming>(
    measure: Measure,
    messages: readonly Message[],
  ): Promise<readonly Message[]> {
    const limit = measure === 'bytes' ? this.#limits.maximumBytes : this.#limits.maximumMessages
    const incoming = amountsBySource(messages, measure)
    const added = [...incoming.values()].reduce((total, amount) => total + amount, 0)
    if (this.#total(measure) + added <= limit) return messages
    await this.#measure()
    if (this.#total(measure) + added <= limit) return messages
    const amountOf = (source: string) => this.#amountsOf(source)[measure] + (incoming.get(source) ?? 0)
    const sources = [...new Set([...(this.#sources?.keys() ?? []), ...incoming.keys()])]
    const level = levelWithin(sources.map(amountOf), limit * filledShare)
    const excess = new Map<string, number>()
    for (const source of sources.filter((one) => amountOf(one) > level)) {
      const dropped = await this.#drop('size', { source }, measure, amountOf(source) - level)
      const amounts = this.#amountsOf(source)
      excess.set(source, Math.max(0, amountOf(source) - level - dropped[measure]))
      amounts.bytes -= dropped.bytes
      amounts.count -= dropped.count
    }
    return this.#withoutExcess(messages, excess, measure)
  }

  /** Of what comes at once and is more than there is room for, the first is kept. */
  async #withoutExcess<Message extends Incoming>(
    messages: readonly Message[],
    excess: Map<string, number>,
    measure: Measure,
  ): Promise<readonly Message[]> {
    const kept = messages.toReversed().filter((message) => {
      const rest = excess.get(message.source) ?? 0
      excess.set(message.source, rest - weightOf(message, measure))
      return rest <= 0
    })
    await this.#count('size', messages.length - kept.length)
    return kept.toReversed()
  }

  /** Drops the oldest messages until they come to the amount. @returns what they came to. */
  async #drop(cause: Dropped, filter: object, measure: Measure, amount: number): Promise<Amounts> {
    const dropped = { bytes: 0, count: 0 }
    while (dropped[measure] < amount) {
      const some = await this.#database.transactions.run(() =>
        this.#dropSome(cause, filter, measure, amount - dropped[measure]),
      )
      dropped.bytes += some.bytes
      dropped.count += some.count
      if (some.count === 0) break
    }
    return dropped
  }

  /** Deletes and counts in one transaction, so that no message goes uncounted. */
  async #dropSome(cause: Dropped, filter: object, measure: Measure, amount: number): Promise<Amounts> {
    const oldest = await this.#messages.for('prune').find<Pick<QuarantinedMessage, '_id' | 'storedBytes'>>(filter, {
      sort: { lastReceivedAt: 1, _id: 1 },
      limit: dropBatch,
      projection: { storedBytes: 1 },
    })
    const dropped = { bytes: 0, count: 0 }
    const ids = oldest
      .filter((message) => {
        if (dropped[measure] >= amount) return false
        dropped.bytes += message.storedBytes
        dropped.count += 1
        return true
      })
      .map(({ _id }) => _id)
    if (ids.length > 0) await this.#messages.for('prune').deleteMany({ _id: { $in: ids } })
    await this.#count(cause, ids.length)
    return dropped
  }

  async #count(cause: Dropped, count: number): Promise<void> {
    if (count === 0) return
    const name = `quarantine.dropped.${cause}`
    await this.#counters.for('prune').updateOne({ name }, { $inc: { count } }, { upsert: true })
  }
}

function weightOf({ storedBytes }: Incoming, measure: Measure): number {
  return measure === 'bytes' ? storedBytes : 1
}

function amountsBySource(messages: readonly Incoming[], measure: Measure): Map<string, number> {
  const amounts = new Map<string, number>()
  for (const message of messages) {
    amounts.set(message.source, (amounts.get(message.source) ?? 0) + weightOf(message, measure))
  }
  return amounts
}
