import { type AnyBulkWriteOperation, type ClientSession, type Collection, type Document, ObjectId } from 'mongodb'
import type { Entity, Identified } from '../entity.js'
import type {
  CollectionOptions,
  OperationRunner,
  StoreBulkCounts,
  StoreBulkOptions,
  StoreInsertOptions,
  StoreUpdateOptions,
} from './collection-options.js'
import { countOfStatistics } from './count-of-statistics.js'
import { newStamps, nextStamps, stampedUpdate } from './stamps.js'
import type {
  NewDocument,
  StoreAggregateOptions,
  StoreFilter,
  StoreFindOptions,
  StorePipeline,
  StoreUpdate,
  StoreWrite,
} from './store-query.js'

const durable = { writeConcern: { w: 'majority', journal: true }, readPreference: 'primary' } as const

/**
 * The operations on the documents of one entity. Each takes part in the caller's transaction, is logged under the
 * collection's real name, stamps what it writes (`createdAt`, `updatedAt`, `__v`), and throws our errors only. Filters and
 * updates are the library's own: what comes from outside is parsed by a repository before.
 */
export class EntityCollection<Stored extends Identified> {
  readonly #runner: OperationRunner
  readonly entity: Entity<Stored>
  readonly #options: CollectionOptions
  /** Whether an upsert may be one operation; where not, repositories look first and write then. */
  readonly canUpsert: boolean = true
  /** What operations are logged under; of each its own name if left out. */
  protected operation: string | undefined

  /** @internal */
  constructor(runner: OperationRunner, entity: Entity<Stored>, options: CollectionOptions = {}) {
    this.#runner = runner
    this.entity = entity
    this.#options = options
  }

  /** The name of the collection in the database. */
  get name(): string {
    return this.entity.collection
  }

  /** These operations, logged under the name of the call that they serve. */
  for(operation: string): EntityCollection<Stored> {
    const other = new EntityCollection(this.#runner, this.entity, this.#options)
    other.operation = operation
    return other
  }

  find<Row extends object = Stored>(filter: StoreFilter<Stored>, options: StoreFindOptions = {}): Promise<Row[]> {
    return this.#run('find', (collection, session) =>
      collection.find(query(filter), { ...options, ...session }).toArray(),
    )
  }

  findOne<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    options: Omit<StoreFindOptions, 'limit' | 'batchSize'> = {},
  ): Promise<Row | null> {
    return this.#run('findOne', (collection, session) => collection.findOne(query(filter), { ...options, ...session }))
  }

  /** As {@link find}, fetched in batches as it is consumed. */
  stream<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    options: StoreFindOptions = {},
  ): AsyncGenerator<Row, void, undefined> {
    return this.#walk('find', (collection, session) => collection.find(query(filter), { ...options, ...session }))
  }

  /** As {@link stream}, each document as the bytes that it is stored in. */
  streamRaw(filter: StoreFilter<Stored>, options: StoreFindOptions = {}): AsyncGenerator<Buffer, void, undefined> {
    return this.#walk('find', (collection, session) =>
      collection.find(query(filter), { ...options, ...session, raw: true }),
    )
  }

  aggregate<Row extends object>(pipeline: StorePipeline, options: StoreAggregateOptions = {}): Promise<Row[]> {
    return this.#run('aggregate', (collection, session) =>
      collection.aggregate([...pipeline], { ...options, ...session }).toArray(),
    )
  }

  /** As {@link aggregate}, fetched in batches as it is consumed. */
  streamAggregate<Row extends object>(
    pipeline: StorePipeline,
    options: StoreAggregateOptions = {},
  ): AsyncGenerator<Row, void, undefined> {
    return this.#walk('aggregate', (collection, session) =>
      collection.aggregate([...pipeline], { ...options, ...session }),
    )
  }

  distinct<Value>(field: keyof Stored & string, filter: StoreFilter<Stored> = {}): Promise<Value[]> {
    return this.#run('distinct', (collection, session) => collection.distinct(field, query(filter), session))
  }

  count(filter: StoreFilter<Stored> = {}): Promise<number> {
    return this.#run('count', (collection, session) => collection.countDocuments(query(filter), session))
  }

  /** About how many documents there are, of the collection's own statistics. Not part of a transaction. */
  estimatedCount(): Promise<number> {
    return this.#run('estimatedCount', (collection) => countOfStatistics(collection))
  }

  /** Stores new documents, in their order by default. @returns them as they are stored. */
  insert(documents: readonly NewDocument<Stored>[], options: StoreInsertOptions = {}): Promise<Stored[]> {
    const stored = documents.map((document) => this.#created(document))
    const ordered = options.isUnordered !== true
    return this.#write('insert', async (collection, session) => {
      if (stored.length > 0) await collection.insertMany(stored, { ...session, ordered })
      return stored
    })
  }

  /** Stores a new document. @returns it as it is stored. */
  insertOne(document: NewDocument<Stored>): Promise<Stored> {
    const stored = this.#created(document)
    return this.#write('insert', async (collection, session) => {
      await collection.insertOne(stored, session)
      return stored
    })
  }

  /** @returns how many documents matched, and whether one was created. */
  async updateOne(
    filter: StoreFilter<Stored>,
    update: StoreUpdate<Stored> | StorePipeline,
    options: StoreUpdateOptions = {},
  ): Promise<{ readonly matched: number; readonly created: boolean }> {
    const stamped = this.#stamped(update, options.upsert)
    return this.#write('updateOne', async (collection, session) => {
      const result = await collection.updateOne(query(filter), stamped, { ...options, ...session })
      return { matched: result.matchedCount, created: result.upsertedCount > 0 }
    })
  }

  /** @returns how many documents matched. */
  async updateMany(filter: StoreFilter<Stored>, update: StoreUpdate<Stored> | StorePipeline): Promise<number> {
    const stamped = this.#stamped(update)
    return this.#run('updateMany', async (collection, session) => {
      const result = await collection.updateMany(query(filter), stamped, session)
      return result.matchedCount
    })
  }

  /** @returns the document as it is after the update; null if none matched. */
  findOneAndUpdate<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    update: StoreUpdate<Stored> | StorePipeline,
    options: StoreUpdateOptions & Pick<StoreFindOptions, 'sort' | 'projection'> = {},
  ): Promise<Row | null> {
    const stamped = this.#stamped(update, options.upsert)
    return this.#write('findOneAndUpdate', (collection, session) =>
      collection.findOneAndUpdate(query(filter), stamped, { ...options, ...session, returnDocument: 'after' }),
    )
  }

  /** @returns whether a document was removed. */
  async deleteOne(filter: StoreFilter<Stored>): Promise<boolean> {
    return this.#run('deleteOne', async (collection, session) => {
      const { deletedCount } = await collection.deleteOne(query(filter), session)
      return deletedCount > 0
    })
  }

  /** @returns how many documents were removed. */
  async deleteMany(filter: StoreFilter<Stored>): Promise<number> {
    return this.#run('deleteMany', async (collection, session) => {
      const { deletedCount } = await collection.deleteMany(query(filter), session)
      return deletedCount
    })
  }

  async bulkWrite(writes: readonly StoreWrite<Stored>[], options: StoreBulkOptions = {}): Promise<StoreBulkCounts> {
    if (writes.length === 0) return { inserted: 0, matched: 0, modified: 0, upserted: 0, deleted: 0 }
    const operations = writes.map((write) => this.#operationOf(write))
    const ordered = options.isUnordered !== true
    return this.#write('bulkWrite', async (collection, session) => {
      const write = (bypassDocumentValidation: boolean) =>
        collection.bulkWrite(operations, {
          ordered,
          ...session,
          ...(bypassDocumentValidation ? { bypassDocumentValidation } : {}),
        })
      const done = options.isTrusted
        ? await this.#runner.validatorBypass.write(session.session, write)
        : await write(false)
      return {
        inserted: done.insertedCount,
        matched: done.matchedCount,
        modified: done.modifiedCount,
        upserted: done.upsertedCount,
        deleted: done.deletedCount,
      }
    })
  }

  /** As {@link #run}, for what may create the collection. */
  async #write<Result>(
    operation: string,
    task: (collection: Collection, session: Session) => Promise<unknown>,
  ): Promise<Result> {
    const result = await this.#run<Result>(operation, task)
    this.#runner.selfCheck.noteWrite()
    return result
  }

  /** Runs a task that needs the driver's own collection. */
  #run<Result>(
    operation: string,
    task: (collection: Collection, session: Session) => Promise<unknown>,
  ): Promise<Result> {
    const run = () =>
      this.#runner.run(this.entity, this.operation ?? operation, (session) =>
        task(this.#collection, session === undefined ? {} : { session }),
      )
    // The rows are those of the entity, or of the caller's projection or pipeline.
    return (this.#options.isOutside ? this.#runner.transactions.outside(run) : run()) as Promise<Result>
  }

  async *#walk<Row>(
    operation: string,
    open: (collection: Collection, session: Session) => Walkable,
  ): AsyncGenerator<Row, void, undefined> {
    const cursor = await this.#run<Walkable>(operation, async (collection, session) => open(collection, session))
    try {
      while (await this.#run<boolean>(operation, () => cursor.hasNext())) {
        for (const row of cursor.readBufferedDocuments()) yield row as Row
      }
    } finally {
      await cursor.close()
    }
  }

  #operationOf(write: StoreWrite<Stored>): AnyBulkWriteOperation {
    if ('insert' in write) return { insertOne: { document: this.#created(write.insert) } }
    if ('update' in write) {
      const { update: filter, by, upsert = false, arrayFilters } = write
      const items = arrayFilters === undefined ? {} : { arrayFilters: [...arrayFilters] }
      return { updateOne: { filter: query(filter), update: this.#stamped(by, upsert), upsert, ...items } }
    }
    if ('touch' in write) {
      const { touch: filter, by: update, arrayFilters = [] } = write
      return { updateOne: { filter: query(filter), update: query(update), arrayFilters: [...arrayFilters] } }
    }
    if ('replace' in write) {
      const { replace: before, by } = write
      const replacement = { ...by, ...nextStamps(before, this.#runner.clock.now()) }
      return { replaceOne: { filter: { _id: before._id }, replacement } }
    }
    return { deleteOne: { filter: query(write.delete) } }
  }

  #created(document: NewDocument<Stored>): Stored & Document {
    const stamps = this.entity.appendOnly ? {} : newStamps(this.#runner.clock.now())
    return { _id: new ObjectId(), ...document, ...stamps } as Stored & Document
  }

  #stamped(update: StoreUpdate<Stored> | StorePipeline, isUpsert = false): Document | Document[] {
    if (isPipeline(update)) return [...update]
    return this.entity.appendOnly ? update : stampedUpdate(update, this.#runner.clock.now(), isUpsert)
  }

  get #collection(): Collection {
    return this.#runner.native.collection(this.name, this.#options.isDurable ? durable : {})
  }
}

type Session = { readonly session?: ClientSession }

interface Walkable {
  hasNext(): Promise<boolean>
  readBufferedDocuments(): Document[]
  close(): Promise<void>
}

/** The driver's types know no filter of an entity that is not known yet. */
function query(filter: object): Document {
  return filter
}

function isPipeline(update: object): update is StorePipeline {
  return Array.isArray(update)
}
