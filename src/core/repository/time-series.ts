import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../collection/entity-collection.js'
import type { StoreFilter } from '../collection/store-query.js'
import type { Database } from '../database.js'
import { shownFields } from '../declared-fields.js'
import type { Entity, Identified } from '../entity.js'
import { DatabaseError } from '../errors.js'
import type { Slice } from './page.js'
import { type Direction, decodePosition, encodePosition, isBeyond, type SeriesPosition } from './time-series-cursor.js'

const largestBatch = 1000
/** Documents that are inserted in two commands at once. */
const worthParting = 200

interface TimedDocument extends Identified {
  readonly timestamp: Date
}

/** Series rule: what distinguishes the documents of a time series. */
export interface SeriesRule<Stored> {
  /** What repeated copies of one document share, and no other document of its instant. */
  readonly identityOf: (document: Stored) => string
  /** The id of the document's series: the meta field that distinguishes it. */
  readonly seriesOf: (document: Stored) => ObjectId
}

/** What a walk through a time series is to give. */
export interface Walk<Stored> {
  readonly query: StoreFilter<Stored>
  readonly direction: Direction
  /** Where to go on; from the start if left out. */
  readonly after?: SeriesPosition | undefined
  /** How many documents are fetched at a time. @default 1,000 */
  readonly batchSize?: number
  /** Reads what the primary has, wherever the connection reads as a rule. */
  readonly fromPrimary?: boolean
}

/**
 * The documents of a time-series collection. It has no unique index, and what is redelivered is stored again: copies are
 * left out when they are read. Copies are documents of one instant with one identity; the one with the lowest `_id` stands.
 */
export class TimeSeries<Stored extends TimedDocument> {
  readonly #database: Database
  readonly #entity: Entity<Stored>
  readonly #rule: SeriesRule<Stored>
  readonly #documents: EntityCollection<Stored>
  /** Durable writes, and reads of what the primary has. */
  readonly #onPrimary: EntityCollection<Stored>

  constructor(database: Database, entity: Entity<Stored>, rule: SeriesRule<Stored>) {
    this.#database = database
    this.#entity = entity
    this.#rule = rule
    this.#documents = database.of(entity)
    this.#onPrimary = database.of(entity, { isDurable: true })
  }

  /**
   * Stores the documents, durably (majority, journaled) when it resolves. Some may be stored though it throws; what is then
   * handed in again makes copies.
   * @throws DatabaseError `TRANSACTION` inside a transaction, which time series cannot be part of.
   */
  async insert(documents: readonly Stored[]): Promise<void> {
    if (documents.length === 0) return
    if (this.#database.transactions.session !== undefined) {
      const message = `A ${this.#entity.name} cannot be written in a transaction: it is in a time-series collection`
      throw new DatabaseError('TRANSACTION', message)
    }
    // The server takes several at once, as long as their series are not the same.
    const parts = documents.length < worthParting ? [documents] : this.#bySeries(documents)
    // In order, the server would write each on its own.
    await Promise.all(parts.map((part) => this.#onPrimary.insert(part, { isUnordered: true })))
  }

  #bySeries(documents: readonly Stored[]): Stored[][] {
    const parts: [Stored[], Stored[]] = [[], []]
    for (const document of documents)
      parts[(this.#rule.seriesOf(document).id[11] ?? 0) % 2 === 0 ? 0 : 1].push(document)
    return parts.filter(({ length }) => length > 0)
  }

  /** The documents in the order of time, those of one instant by `_id`, without copies. */
  async *stream(walk: Walk<Stored>): AsyncGenerator<Stored, void, undefined> {
    for await (const instant of this.#instants(walk)) {
      for (const document of this.#withoutCopies(instant, walk)) yield shownFields(this.#entity, document)
    }
  }

  /** The next documents of a walk, and the place that they end at. */
  async page(walk: Omit<Walk<Stored>, 'after'>, limit: number, cursor: string | undefined): Promise<Slice<Stored>> {
    const { direction } = walk
    const after = cursor === undefined ? undefined : decodePosition(cursor, direction)
    const items: Stored[] = []
    for await (const document of this.stream({ ...walk, after, batchSize: limit + 1 })) {
      if (items.length === limit) {
        const last = items.at(-1) as Stored
        return {
          items,
          hasNext: true,
          nextCursor: encodePosition({ atMs: last.timestamp.getTime(), id: last._id }, direction),
        }
      }
      items.push(document)
    }
    return { items, hasNext: false, nextCursor: null }
  }

  /** The documents instant by instant, copies included, each instant whole. */
  async *#instants({
    query,
    direction,
    after,
    batchSize = largestBatch,
    fromPrimary = false,
  }: Walk<Stored>): AsyncGenerator<Stored[], void, undefined> {
    const from = after === undefined ? {} : { timestamp: { [direction === 1 ? '$gte' : '$lte']: new Date(after.atMs) } }
    const documents = fromPrimary ? this.#onPrimary : this.#documents
    // By time alone: a tie-breaker would make the server sort everything before it gives the first.
    const found = documents.stream({ $and: [query, from] }, { sort: { timestamp: direction }, batchSize })
    let instant: Stored[] = []
    for await (const document of found) {
      if (instant.length > 0 && instant[0]?.timestamp.getTime() !== document.timestamp.getTime()) {
        yield instant
        instant = []
      }
      instant.push(document)
    }
    if (instant.length > 0) yield instant
  }

  #withoutCopies(instant: Stored[], { direction, after }: Walk<Stored>): Stored[] {
    const ordered = instant.length === 1 ? instant : instant.sort((a, b) => compareIds(a._id, b._id))
    const seen = new Set<string>()
    const kept = ordered.filter((document) => {
      const identity = this.#rule.identityOf(document)
      const isCopy = seen.has(identity)
      seen.add(identity)
      return !isCopy
    })
    const inDirection = direction === 1 ? kept : kept.reverse()
    if (after === undefined || instant[0]?.timestamp.getTime() !== after.atMs) return inDirection
    return inDirection.filter(({ _id }) => isBeyond(_id, after.id, direction))
  }
}

function compareIds(a: ObjectId, b: ObjectId): number {
  const [one, other] = [a.toHexString(), b.toHexString()]
  return one < other ? -1 : one > other ? 1 : 0
}
