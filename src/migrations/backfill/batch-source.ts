import type { Document, Filter } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Backfill, MigrationContext } from '../migration.js'
import { plainEntity } from '../run/guarded-db.js'
import { afterId, withIds } from './id-order.js'

/** Documents that are changed together. */
export interface Batch {
  readonly count: number
  /** Where the next batch begins. */
  readonly checkpoint: unknown
  /** Those that are still to be changed; for a cursor, undefined. */
  readonly filter?: Document
  /** What a cursor gave. */
  readonly documents?: readonly Document[]
}

/** Batch source: where the batches of a backfill come from. */
export interface BatchSource {
  /** The batch after the checkpoint; null at the end. */
  next(checkpoint: unknown): Promise<Batch | null>
  /** How many documents there are; null where counting them takes too long. */
  count(): Promise<number | null>
}

/** Counting must not take longer. */
const countingMs = 30_000
const defaultBatchSize = 1_000
/** Looking for a batch may take long where few documents match. */
const withoutSocketTimeout: object = { socketTimeoutMS: 0 }

export function batchSourceOf(database: Database, step: Backfill, context: MigrationContext): BatchSource {
  const { batchSize = defaultBatchSize } = step
  if (!('cursor' in step)) return new FilterSource(database, step.collection, step.filter ?? {}, batchSize)
  const { cursor } = step
  return {
    next: async (checkpoint) => {
      const page = await cursor.next(checkpoint, batchSize, context)
      return page === null ? null : { ...page, count: page.documents.length }
    },
    count: async () => (await cursor.count?.(context)) ?? null,
  }
}

class FilterSource implements BatchSource {
  readonly #database: Database
  readonly #collection: string
  readonly #filter: Document
  readonly #batchSize: number

  constructor(database: Database, collection: string, filter: Document, batchSize: number) {
    this.#database = database
    this.#collection = collection
    this.#filter = filter
    this.#batchSize = batchSize
  }

  async next(checkpoint: unknown): Promise<Batch | null> {
    const rest = checkpoint === undefined ? this.#filter : both(this.#filter, afterId(checkpoint))
    const options = {
      sort: { _id: 1 },
      limit: this.#batchSize,
      batchSize: this.#batchSize,
      projection: { _id: 1 },
    } as const
    const found = await this.#run('find', (collection) =>
      collection.find(rest, { ...options, ...withoutSocketTimeout }).toArray(),
    )
    const last = found.at(-1)
    if (last === undefined) return null
    const ids = found.map(({ _id }) => _id)
    return { count: ids.length, checkpoint: last._id, filter: both(this.#filter, withIds(ids)) }
  }

  async count(): Promise<number | null> {
    return countMatching(this.#database, this.#collection, this.#filter)
  }

  #run<Result>(name: string, task: (collection: ReturnType<Database['native']['collection']>) => Promise<Result>) {
    return this.#database.run(plainEntity(this.#collection), name, () =>
      task(this.#database.native.collection(this.#collection)),
    )
  }
}

function both(filter: Document, other: Document): Document {
  return Object.keys(filter).length === 0 ? other : { $and: [filter, other] }
}

/** How many documents match; null where counting them takes longer than half a minute. */
export async function countMatching(
  database: Database,
  name: string,
  filter: Filter<Document>,
): Promise<number | null> {
  const collection = database.native.collection(name)
  const isAll = Object.keys(filter).length === 0
  try {
    return await database.run(plainEntity(name), 'count', () =>
      isAll ? collection.estimatedDocumentCount() : collection.countDocuments(filter, { maxTimeMS: countingMs }),
    )
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'TIMEOUT') return null
    throw error
  }
}
