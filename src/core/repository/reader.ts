import type { ClientSession, Collection, Document, Filter as DriverFilter, FindOptions } from 'mongodb'
import { ObjectId } from 'mongodb'
import type { Database } from '../database.js'
import type { Entity, EntityDescription, Identified } from '../entity.js'
import { DatabaseError, NotFoundError, ValidationError } from '../errors.js'
import { typeName } from '../validate.js'
import { type EntityChange, type WatchOptions, watchCollection } from './change-stream.js'
import { compileFilter } from './compile-filter.js'
import type { Filter } from './conditions.js'
import { afterCursor, encodeCursor, type KeysetSort, keysetSort } from './keyset.js'
import { type Page, pageOf, type Slice } from './page.js'
import {
  boundedLimit,
  compileSelection,
  compileSort,
  type ListOptions,
  type ReadOptions,
  type Selected,
} from './selection.js'

const defaultLimit = 100
const maximumLimit = 1000
const defaultPageLimit = 50
const maximumSkip = 100_000
const defaultBatchSize = 1000

export interface FindOptionsOf<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** At most this many documents: 100 if left out, 1,000 at most; `page`, `after` and `stream` reach the rest. */
  readonly limit?: number
}

export interface PageOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** From 1. */
  readonly page?: number
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number
}

export interface AfterOptions<Stored, Key extends keyof Stored> extends ListOptions<Stored, Key> {
  /** The `nextCursor` of the slice before; from the start if left out. */
  readonly cursor?: string | null
  /** 50 if left out, 1,000 at most. */
  readonly limit?: number
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

  constructor(database: Database, entity: Entity<Stored>) {
    this.database = database
    this.entity = entity
  }

  /** The document with this id. @throws NotFoundError, ValidationError for what is no id. */
  async get<Key extends keyof Stored = keyof Stored>(
    id: ObjectId | string,
    options: ReadOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key>> {
    const _id = toObjectId(id)
    const found = await this.read('get', (session) =>
      this.collection.findOne(this.alive({ _id } as DriverFilter<Stored>, options), this.readOptions(options, session)),
    )
    if (found === null) throw new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
    return found as Selected<Stored, Key>
  }

  /** The first document that matches, or null. */
  async findOne<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored>,
    options: ListOptions<Stored, Key> = {},
  ): Promise<Selected<Stored, Key> | null> {
    const query = this.query(filter, options)
    const found = await this.read('findOne', (session) =>
      this.collection.findOne(query, this.listOptions(options, session)),
    )
    return found as Selected<Stored, Key> | null
  }

  /** The documents that match, up to the limit. */
  async find<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: FindOptionsOf<Stored, Key> = {},
  ): Promise<Selected<Stored, Key>[]> {
    const query = this.query(filter, options)
    const limit = boundedLimit(options.limit, defaultLimit, maximumLimit)
    const found = await this.read('find', (session) =>
      this.collection.find(query, { ...this.listOptions(options, session), limit }).toArray(),
    )
    return found as Selected<Stored, Key>[]
  }

  /**
   * One page of what matches, with the total. The work grows with the page's number: for walking through everything, or
   * for lists that grow meanwhile, use {@link after}.
   */
  async page<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: PageOptions<Stored, Key> = {},
  ): Promise<Page<Selected<Stored, Key>>> {
    const query = this.query(filter, options)
    const limit = boundedLimit(options.limit, defaultPageLimit, maximumLimit)
    const page = boundedLimit(options.page, 1, Math.floor(maximumSkip / limit) + 1)
    const find = this.read('page', (session) =>
      this.collection.find(query, { ...this.pageSort(options, session), skip: (page - 1) * limit, limit }).toArray(),
    )
    const count = this.read('page', (session) => this.collection.countDocuments(query, inSession(session)))
    const [items, total] = await Promise.all([find, count])
    return pageOf(items as Selected<Stored, Key>[], total, page, limit)
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
    const limit = boundedLimit(options.limit, defaultPageLimit, maximumLimit)
    const sort = keysetSort(this.entity, equalitiesOf(query), compileSort(this.entity, options.sort))
    const bounded =
      options.cursor == null ? query : ({ $and: [query, afterCursor(sort, options.cursor)] } as DriverFilter<Stored>)
    const projection = withSortFields(compileSelection(this.entity, options.select), sort)
    const found: Document[] = await this.read('after', (session) =>
      this.collection
        .find(bounded, { ...inSession(session), ...projection, sort: asSort(sort), limit: limit + 1 })
        .toArray(),
    )
    const hasNext = found.length > limit
    const items = hasNext ? found.slice(0, limit) : found
    const last = items.at(-1)
    return {
      items: items as Selected<Stored, Key>[],
      hasNext,
      nextCursor: hasNext && last ? encodeCursor(sort, last) : null,
    }
  }

  /** How many documents match. */
  async count(filter: Filter<Stored> = {}, options: Pick<ReadOptions<Stored>, 'withDeleted'> = {}): Promise<number> {
    const query = this.query(filter, options)
    return this.read('count', (session) => this.collection.countDocuments(query, inSession(session)))
  }

  /** Whether any document matches. */
  async exists(filter: Filter<Stored>, options: Pick<ReadOptions<Stored>, 'withDeleted'> = {}): Promise<boolean> {
    const query = this.query(filter, options)
    const found = await this.read('exists', (session) =>
      this.collection.findOne(query, { ...inSession(session), projection: { _id: 1 } }),
    )
    return found !== null
  }

  /** Everything that matches, fetched in batches as it is consumed; memory does not grow with the number of documents. */
  async *stream<Key extends keyof Stored = keyof Stored>(
    filter: Filter<Stored> = {},
    options: StreamOptions<Stored, Key> = {},
  ): AsyncGenerator<Selected<Stored, Key>, void, undefined> {
    const query = this.query(filter, options)
    const batchSize = boundedLimit(options.batchSize, defaultBatchSize, 10_000)
    const session = this.database.transactions.session
    const cursor = this.collection.find(query, { ...this.listOptions(options, session), batchSize })
    try {
      while (await this.read('stream', () => cursor.hasNext())) {
        for (const document of cursor.readBufferedDocuments()) yield document as Selected<Stored, Key>
      }
    } finally {
      await cursor.close()
    }
  }

  /**
   * The changes of this entity's documents, from the moment this resolves. After a lost connection the stream goes on where
   * it broke off. The filter is applied to the document as it is after the change; deletions always come through.
   * @throws DatabaseError `HISTORY_LOST` when changes are missing, `REPLICA_SET_REQUIRED` on a standalone server.
   */
  async watch(
    filter: Filter<Stored> = {},
    options: WatchOptions = {},
  ): Promise<AsyncGenerator<EntityChange<Stored>, void, undefined>> {
    await this.database.requireReplicaSet('Change streams')
    const compiled = compileFilter<Document>(this.entity, filter)
    const { operationTime } = await this.read('watch', () => this.database.native.command({ ping: 1 }))
    const hidden = Object.fromEntries(
      Object.keys(this.entity.secrets).flatMap((name) => [
        [`fullDocument.${name}`, 0],
        [`updateDescription.updatedFields.${name}`, 0],
      ]),
    )
    return watchCollection<Stored>(this.collection, { at: operationTime }, matchAfterChange(compiled), hidden, options)
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
  protected query(filter: Filter<Stored>, options: Pick<ReadOptions<Stored>, 'withDeleted'>): DriverFilter<Stored> {
    return this.alive(compileFilter<Stored>(this.entity, filter), options)
  }

  private alive(query: DriverFilter<Stored>, options: Pick<ReadOptions<Stored>, 'withDeleted'>): DriverFilter<Stored> {
    if (!this.entity.softDelete || options.withDeleted === true) return query
    return { ...query, deletedAt: { $eq: null } }
  }

  private readOptions(options: ReadOptions<Stored, keyof Stored>, session: ClientSession | undefined): FindOptions {
    const projection = compileSelection(this.entity, options.select)
    return projection === undefined ? inSession(session) : { ...inSession(session), projection }
  }

  private listOptions(options: ListOptions<Stored, keyof Stored>, session: ClientSession | undefined): FindOptions {
    const sort = compileSort(this.entity, options.sort)
    return sort.length === 0
      ? this.readOptions(options, session)
      : { ...this.readOptions(options, session), sort: asSort(sort) }
  }

  /** A page needs a total order, or documents that are equal in the sort could show up twice. */
  private pageSort(options: ListOptions<Stored, keyof Stored>, session: ClientSession | undefined): FindOptions {
    const sort = compileSort(this.entity, options.sort)
    const hasId = sort.some(([field]) => field === '_id')
    const total: KeysetSort = hasId ? sort : [...sort, ['_id', sort.at(-1)?.[1] ?? 1]]
    return { ...this.readOptions(options, session), sort: asSort(total) }
  }
}

/** The id as an ObjectId. @throws ValidationError if it is none. */
export function toObjectId(id: ObjectId | string): ObjectId {
  if (id instanceof ObjectId) return id
  if (typeof id === 'string' && /^[0-9a-fA-F]{24}$/.test(id)) return ObjectId.createFromHexString(id)
  throw new ValidationError('The id', [
    { path: '_id', message: 'expected an ObjectId or 24 hexadecimal digits', received: typeName(id) },
  ])
}

export function inSession(session: ClientSession | undefined): { session?: ClientSession } {
  return session === undefined ? {} : { session }
}

function asSort(sort: KeysetSort): Record<string, 1 | -1> {
  return Object.fromEntries(sort)
}

function equalitiesOf(query: Document): ReadonlySet<string> {
  return new Set(Object.entries(query).flatMap(([field, condition]) => ('$eq' in Object(condition) ? [field] : [])))
}

function withSortFields(
  projection: Readonly<Record<string, 0 | 1>> | undefined,
  sort: KeysetSort,
): { projection?: Record<string, 0 | 1> } {
  if (projection === undefined) return {}
  const excludes = Object.values(projection).includes(0)
  return {
    projection: excludes
      ? { ...projection }
      : { ...projection, ...Object.fromEntries(sort.map(([field]) => [field, 1 as const])) },
  }
}

function matchAfterChange(filter: Document): Document | undefined {
  if (Object.keys(filter).length === 0) return undefined
  return { $or: [{ operationType: 'delete' }, prefixed(filter)] }
}

function prefixed(filter: Document): Document {
  return Object.fromEntries(
    Object.entries(filter).map(([key, value]) =>
      key.startsWith('$') ? [key, (value as Document[]).map(prefixed)] : [`fullDocument.${key}`, value],
    ),
  )
}

/** Refuses a call on an entity without soft delete. */
export function requireSoftDelete(entity: EntityDescription): void {
  if (!entity.softDelete) throw new DatabaseError('CONFIGURATION', `A ${entity.name} is not soft-deleted`)
}
