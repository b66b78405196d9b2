import { inspect } from 'node:util'
import type { Document, Filter as DriverFilter } from 'mongodb'
import { type ObjectId, Timestamp } from 'mongodb'
import type { EntityCollection } from '../collection/entity-collection.js'
import type { StoreFindOptions } from '../collection/store-query.js'
import type { Database } from '../database.js'
import { shownFields } from '../declared-fields.js'
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
import {
  type AfterOptions,
  afterNames,
  countNames,
  defaultBatchSize,
  defaultLimit,
  defaultPageLimit,
  type FindManyOptions,
  findNames,
  listNames,
  maximumLimit,
  maximumSkip,
  type PageOptions,
  pageNames,
  readNames,
  type StreamOptions,
  streamNames,
} from './list-options.js'
import { unmerged } from './null-order.js'
import { type Page, pageOf, type Slice } from './page.js'
import { cursorSeal } from './sealed-cursor.js'
import { hashesOf } from './secret-hashes.js'
import {
  bounded,
  compileSelection,
  compileSort,
  type ListOptions,
  type ReadOptions,
  requireOptions,
  type Selected,
} from './selection.js'

/** Reads the documents of one entity as plain objects. Base of every repository; alone for what is append-only. */
export class Reader<Stored extends Identified> {
  /** The definition behind this repository. */
  readonly entity: Entity<Stored>
  protected readonly database: Database
  /** The operations on the entity's documents. Filters and updates of these are not parsed: they are for code, never for requests. */
  protected readonly documents: EntityCollection<Stored>

  constructor(database: Database, entity: Entity<Stored>, documents: EntityCollection<Stored> = database.of(entity)) {
    this.database = database
    this.entity = entity
    this.documents = documents
  }

  /** The same over other operations, such as those on what somebody may see. @internal */
  over(documents: EntityCollection<Stored>): Reader<Stored> {
    return new Reader(this.database, this.entity, documents)
  }

  /** The document with this id. @throws NotFoundError, ValidationError for what is no id. */
  async get<Key extends keyof Stored = keyof Stored>(
    id: ObjectId | string,
    options: ReadOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key>> {
    requireOptions(options, readNames)
    const _id = toObjectId(id)
    const byId = { _id } as DriverFilter<Stored>
    // By the id alone the server needs no plan; whether the document is deleted can be seen here as well.
    const query = options.select === undefined ? byId : this.alive(byId, options)
    const found = await this.documents.for('get').findOne(query, this.readOptions(options))
    if (found === null || this.isHidden(found, options)) {
      throw new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
    }
    return this.shown<Selected<Stored, Key>>(found)
  }

  /** The first document that matches, or null. */
  async findOne<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored>,
    options: ListOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key> | null> {
    requireOptions(options, listNames)
    const query = this.query(filter, options)
    const found = await this.documents.findOne(query, this.listOptions(options))
    return found === null ? null : this.shown<Selected<Stored, Key>>(found)
  }

  /** The documents that match, up to the limit. */
  async find<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: FindManyOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key>[]> {
    requireOptions(options, findNames)
    const query = this.query(filter, options)
    const limit = bounded('limit', options.limit, defaultLimit, maximumLimit)
    return this.shownAll<Selected<Stored, Key>>(
      await this.documents.find(query, { ...this.listOptions(options), limit }),
    )
  }

  /**
   * One page of what matches, with the total. The work grows with the page's number: for walking through everything, or
   * for lists that grow meanwhile, use {@link after}.
   */
  async page<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: PageOptions<Stored, Key> = {},
  ): Promise<Page<Selected<Stored, Key>>> {
    requireOptions(options, pageNames)
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
    const [items, total] = await Promise.all([documents.find(query, paging), documents.count(query)])
    return pageOf(this.shownAll<Selected<Stored, Key>>(items), total, page, limit)
  }

  /**
   * The documents that follow a cursor. Rows that are inserted meanwhile neither repeat nor hide others, and the work does
   * not grow with the distance from the start.
   * @throws DatabaseError `UNINDEXED_SORT` if no declared index serves the sort, `KEY_RING` if the cursor has to be sealed, for
   * the sort has fields that `select` leaves out, and the handle has no keys.
   */
  async after<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: AfterOptions<Stored, Key> = {},
  ): Promise<Slice<Selected<Stored, Key>>> {
    requireOptions(options, afterNames)
    const query = this.query(filter, options)
    const limit = bounded('limit', options.limit, defaultPageLimit, maximumLimit)
    const sort = keysetSort(this.entity, equalitiesOf(query), compileSort(this.entity, options.sort))
    const projection = compileSelection(this.entity, options.select)
    const { seal, open } = cursorSeal(this.database, this.entity, projection, sort)
    const queries = queriesAfter(query, sort, open(options.cursor))
    const reading = { ...withSortFields(projection, sort), sort: asSort(sort) }
    const found = await findInTurn(this.documents.for('after'), queries, limit + 1, reading)
    const hasNext = found.length > limit
    const items = hasNext ? found.slice(0, limit) : found
    const last = items.at(-1)
    const nextCursor = hasNext && last ? seal(encodeCursor(sort, last)) : null
    if (options.select !== undefined) keepOnly(items, projection ?? {})
    return { items: this.shownAll<Selected<Stored, Key>>(items), hasNext, nextCursor }
  }

  /** How many documents match. */
  async count(filter: Filter<Stored> = {}, options: Pick<ReadOptions<Stored>, 'withDeleted'> = {}): Promise<number> {
    requireOptions(options, countNames)
    const query = this.query(filter, options)
    return this.documents.count(query)
  }

  /** Whether any document matches. */
  async exists(filter: Filter<Stored>, options: Pick<ReadOptions<Stored>, 'withDeleted'> = {}): Promise<boolean> {
    requireOptions(options, countNames)
    const query = this.query(filter, options)
    return (await this.documents.for('exists').findOne(query, { projection: { _id: 1 } })) !== null
  }

  /** Everything that matches, fetched in batches as it is consumed; memory does not grow with the number of documents. */
  async *stream<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: StreamOptions<Stored, Key> = {},
  ): AsyncGenerator<Selected<Stored, Key>, void, undefined> {
    requireOptions(options, streamNames)
    const query = this.query(filter, options)
    const batchSize = bounded('batchSize', options.batchSize, defaultBatchSize, 10_000)
    const found = this.documents.for('stream').stream(query, { ...this.listOptions(options), batchSize })
    for await (const document of found) yield this.shown<Selected<Stored, Key>>(document)
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
    requireOptions(options, ['resumeAfter', 'signal'])
    if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
      throw refused('The options', 'signal', 'expected an AbortSignal', options.signal)
    const compiled = compileFilter<Document>(this.entity, filter, hashesOf(this.database, this.entity))
    const token = options.resumeAfter === undefined ? undefined : toResumeToken(options.resumeAfter)
    await this.database.requireReplicaSet('Change streams')
    const { closing, watches } = this.database
    return watchCollection<Stored>(this.database.collectionOf(this.entity), {
      start: token === undefined ? { startAtOperationTime: await this.afterLastOperation() } : { resumeAfter: token },
      filter: compiled,
      hidden: this.entity.hidden,
      shown: (document) => shownFields(this.entity, document),
      signal: options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]),
      watches,
    })
  }

  /** Without the connection, which knows the credentials. */
  toJSON(): Record<string, unknown> {
    return { entity: this.entity.name, collection: this.entity.collection }
  }

  [inspect.custom](): string {
    return `${this.constructor.name} ${this.entity.collection}`
  }

  /** A document of the collection as callers get it: its declared fields, without secrets. */
  protected shown<Shown = Stored>(document: object): Shown {
    return shownFields(this.entity, document) as Shown
  }

  private shownAll<Shown>(documents: readonly object[]): Shown[] {
    return documents.map((document) => this.shown<Shown>(document))
  }

  /** The driver's filter; without soft-deleted documents unless they are asked for. */
  protected query(
    filter: Filter<Stored>,
    options: Pick<ListOptions<Stored, keyof Stored>, 'withDeleted' | 'sort'>,
  ): DriverFilter<Stored> {
    return this.alive(
      unmerged(
        this.entity,
        compileFilter<Stored>(this.entity, filter, hashesOf(this.database, this.entity)),
        options.sort,
      ),
      options,
    )
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
    const { operationTime } = await this.database.run(this.entity, 'watch', () =>
      this.database.native.command({ ping: 1 }),
    )
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
