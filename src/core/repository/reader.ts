import { inspect } from 'node:util'
import type { ClientSession, Collection, Document, Filter as DriverFilter } from 'mongodb'
import { type ObjectId, Timestamp } from 'mongodb'
import type { EntityCollection } from '../collection/entity-collection.js'
import type { StoreFindOptions } from '../collection/store-query.js'
import type { Database } from '../database.js'
import type { Entity, Identified } from '../entity.js'
import { NotFoundError } from '../errors.js'
import { toObjectId } from '../fields.js'
import { type EntityChange, toResumeToken, type WatchOptions, watchCollection } from './change-stream.js'
import { compileFilter } from './compile-filter.js'
import type { Filter } from './conditions.js'
import { refused } from './data.js'
import {
  asSort,
  encodeCursor,
  equalitiesOf,
  findInTurn,
  type KeysetSort,
  keepOnly,
  keysetSort,
  queriesAfter,
  withSortFields,
} from './keyset.js'
import { unmerged } from './null-order.js'
import { type Page, pageOf, type Slice } from './page.js'
import {
  bounded,
  compileSelection,
  compileSort,
  type ListOptions,
  type ReadOptions,
  type Selected,
} from './selection.js'

export const defaultLimit = 100
export const maximumLimit = 1000
const defaultPageLimit = 50
const maximumSkip = 100_000
const defaultBatchSize = 1000

export interface FindManyOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** At most this many documents: 100 if left out, 1,000 at most; `page`, `after` and `stream` reach the rest. */
  readonly limit?: number | undefined
}

export interface PageOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** From 1. */
  readonly page?: number | undefined
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number | undefined
}

export interface AfterOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** The `nextCursor` of the slice before; from the start if left out. */
  readonly cursor?: string | null | undefined
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number | undefined
}

export interface StreamOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** How many documents are fetched at a time: 1,000 if left out, 10,000 at most. */
  readonly batchSize?: number
}

/** Reads the documents of one entity as plain objects. Base of every repository; alone for what is append-only. */
export class Reader<Stored extends Identified> {
  /** The definition behind this repository. */
  readonly entity: Entity<Stored>
  protected readonly database: Database
  /** The operations on the entity's documents. Filters and updates of these are not parsed: they are for code, never for requests. */
  protected readonly documents: EntityCollection<Stored>

  constructor(database: Database, entity: Entity<Stored>) {
    this.database = database
    this.entity = entity
    this.documents = database.of(entity)
  }

  /** The document with this id. @throws NotFoundError, ValidationError for what is no id. */
  async get<Key extends keyof Stored = keyof Stored>(
    id: ObjectId | string,
    options: ReadOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key>> {
    const _id = toObjectId(id)
    const byId = { _id } as DriverFilter<Stored>
    // By the id alone the server needs no plan; whether the document is deleted can be seen here as well.
    const query = options.select === undefined ? byId : this.alive(byId, options)
    const found = await this.documents.for('get').findOne(query, this.readOptions(options))
    if (found === null || this.isHidden(found, options)) {
      throw new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
    }
    return found as Selected<Stored, Key>
  }

  /** The first document that matches, or null. */
  async findOne<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored>,
    options: ListOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key> | null> {
    const query = this.query(filter, options)
    return this.documents.findOne<Selected<Stored, Key> & object>(query, this.listOptions(options))
  }

  /** The documents that match, up to the limit. */
  async find<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: FindManyOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key>[]> {
    const query = this.query(filter, options)
    const limit = bounded('limit', options.limit, defaultLimit, maximumLimit)
    return this.documents.find<Selected<Stored, Key> & object>(query, { ...this.listOptions(options), limit })
  }

  /**
   * One page of what matches, with the total. The work grows with the page's number: for walking through everything, or
   * for lists that grow meanwhile, use {@link after}.
   */
  async page<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: PageOptions<Stored, Key> = {},
  ): Promise<Page<Selected<Stored, Key>>> {
    return this.pageOfQuery(this.query(filter, options), options)
  }

  /** A page of what matches a query in the driver's language. */
  protected async pageOfQuery<Key extends keyof Stored = keyof Stored>(
    query: DriverFilter<Stored>,
    options: PageOptions<Stored, Key>,
  ): Promise<Page<Selected<Stored, Key>>> {
    const limit = bounded('limit', options.limit, defaultPageLimit, maximumLimit)
    const page = bounded('page', options.page, 1, Math.floor(maximumSkip / limit) + 1)
    const documents = this.documents.for('page')
    const paging = { ...this.pageSort(options), skip: (page - 1) * limit, limit }
    const [items, total] = await Promise.all([
      documents.find<Selected<Stored, Key> & object>(query, paging),
      documents.count(query),
    ])
    return pageOf(items, total, page, limit)
  }

  /**
   * The documents that follow a cursor. Rows that are inserted meanwhile neither repeat nor hide others, and the work does
   * not grow with the distance from the start.
   * @throws DatabaseError `UNINDEXED_SORT` if no declared index serves the sort.
   */
  async after<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: AfterOptions<Stored, Key> = {},
  ): Promise<Slice<Selected<Stored, Key>>> {
    const query = this.query(filter, options)
    const limit = bounded('limit', options.limit, defaultPageLimit, maximumLimit)
    const sort = keysetSort(this.entity, equalitiesOf(query), compileSort(this.entity, options.sort))
    const queries = queriesAfter(query, sort, options.cursor)
    const projection = compileSelection(this.entity, options.select)
    const reading = { ...withSortFields(projection, sort), sort: asSort(sort) }
    const found = await findInTurn(this.documents.for('after'), queries, limit + 1, reading)
    const hasNext = found.length > limit
    const items = hasNext ? found.slice(0, limit) : found
    const last = items.at(-1)
    const nextCursor = hasNext && last ? encodeCursor(sort, last) : null
    if (options.select !== undefined) keepOnly(items, projection ?? {})
    return { items: items as Selected<Stored, Key>[], hasNext, nextCursor }
  }

  /** How many documents match. */
  async count(filter: Filter<Stored> = {}, options: Pick<ReadOptions<Stored>, 'withDeleted'> = {}): Promise<number> {
    const query = this.query(filter, options)
    return this.documents.count(query)
  }

  /** Whether any document matches. */
  async exists(filter: Filter<Stored>, options: Pick<ReadOptions<Stored>, 'withDeleted'> = {}): Promise<boolean> {
    const query = this.query(filter, options)
    return (await this.documents.for('exists').findOne(query, { projection: { _id: 1 } })) !== null
  }

  /** Everything that matches, fetched in batches as it is consumed; memory does not grow with the number of documents. */
  async *stream<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: StreamOptions<Stored, Key> = {},
  ): AsyncGenerator<Selected<Stored, Key>, void, undefined> {
    const query = this.query(filter, options)
    const batchSize = bounded('batchSize', options.batchSize, defaultBatchSize, 10_000)
    const listed = { ...this.listOptions(options), batchSize }
    yield* this.documents.for('stream').stream<Selected<Stored, Key> & object>(query, listed)
  }

  /**
   * The changes of this entity's documents, from the moment this resolves until the signal or the end of the handle. After
   * a lost connection the stream goes on where it broke off. The filter is applied to the document as it is after the
   * change; deletions always come through. A soft deletion is an update that sets `deletedAt`.
   * @throws DatabaseError `HISTORY_LOST` when changes are missing, `REPLICA_SET_REQUIRED` on a standalone server.
   */
  async watch(
    filter: Filter<Stored> = {},
    options: WatchOptions = {},
  ): Promise<AsyncGenerator<EntityChange<Stored>, void, undefined>> {
    const compiled = compileFilter<Document>(this.entity, filter)
    const token = options.resumeAfter === undefined ? undefined : toResumeToken(options.resumeAfter)
    await this.database.requireReplicaSet('Change streams')
    const { closing } = this.database
    return watchCollection<Stored>(this.collection, {
      start: token === undefined ? { startAtOperationTime: await this.afterLastOperation() } : { resumeAfter: token },
      filter: compiled,
      hidden: Object.keys(this.entity.secrets),
      signal: options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]),
    })
  }

  /** Without the connection, which knows the credentials. */
  toJSON(): Record<string, unknown> {
    return { entity: this.entity.name, collection: this.entity.collection }
  }

  [inspect.custom](): string {
    return `${this.constructor.name} ${this.entity.collection}`
  }

  protected get collection(): Collection<Stored> {
    return this.database.collectionOf(this.entity)
  }

  protected read<Result>(
    operation: string,
    task: (session: ClientSession | undefined) => Promise<Result>,
  ): Promise<Result> {
    return this.database.run(this.entity, operation, task)
  }

  /** The driver's filter; without soft-deleted documents unless they are asked for. */
  protected query(
    filter: Filter<Stored>,
    options: Pick<ListOptions<Stored, keyof Stored>, 'withDeleted' | 'sort'>,
  ): DriverFilter<Stored> {
    return this.alive(unmerged(this.entity, compileFilter<Stored>(this.entity, filter), options.sort), options)
  }

  protected alive(
    query: DriverFilter<Stored>,
    options: Pick<ReadOptions<Stored>, 'withDeleted'>,
  ): DriverFilter<Stored> {
    const { withDeleted = false } = options
    if (typeof withDeleted !== 'boolean')
      throw refused('The query', 'withDeleted', 'expected true or false', withDeleted)
    if (!this.entity.softDelete || withDeleted) return query
    const isAlive = { deletedAt: { $eq: null } }
    const both = 'deletedAt' in query ? { $and: [query, isAlive] } : { ...query, ...isAlive }
    return both as DriverFilter<Stored>
  }

  private isHidden(found: Document, options: Pick<ReadOptions<Stored>, 'withDeleted'>): boolean {
    return this.entity.softDelete && options.withDeleted !== true && found.deletedAt instanceof Date
  }

  /** The server's time just after the last operation that it knows of. */
  private async afterLastOperation(): Promise<Timestamp> {
    const { operationTime } = await this.read('watch', () => this.database.native.command({ ping: 1 }))
    const last = operationTime as Timestamp
    return new Timestamp({ t: last.getHighBits(), i: last.getLowBits() + 1 })
  }

  private readOptions(options: ReadOptions<Stored, keyof Stored>): StoreFindOptions {
    const projection = compileSelection(this.entity, options.select)
    return projection === undefined ? {} : { projection }
  }

  private listOptions(options: ListOptions<Stored, keyof Stored>): StoreFindOptions {
    const sort = compileSort(this.entity, options.sort)
    return sort.length === 0 ? this.readOptions(options) : { ...this.readOptions(options), sort: asSort(sort) }
  }

  /** A page needs a total order, or documents that are equal in the sort could show up twice. */
  private pageSort(options: ListOptions<Stored, keyof Stored>): StoreFindOptions {
    const sort = compileSort(this.entity, options.sort)
    const hasId = sort.some(([field]) => field === '_id')
    const total: KeysetSort = hasId ? sort : [...sort, ['_id', sort.at(-1)?.[1] ?? 1]]
    return { ...this.readOptions(options), sort: asSort(total) }
  }
}

export function inSession(session: ClientSession | undefined): { session?: ClientSession } {
  return session === undefined ? {} : { session }
}
