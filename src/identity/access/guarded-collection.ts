import { isDeepStrictEqual } from 'node:util'
import type { Document, ObjectId } from 'mongodb'
import { EntityCollection } from '../../core/collection/entity-collection.js'
import type {
  NewDocument,
  StoreAggregateOptions,
  StoreFilter,
  StoreFindOptions,
  StorePipeline,
  StoreUpdate,
} from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity, Identified } from '../../core/entity.js'
import { unmerged } from '../../core/repository/null-order.js'
import { AccessDeniedError } from './access-denied-error.js'
import { type DocumentScope, within } from './document-scope.js'

type WriteKind = 'create' | 'update' | 'delete'

/** What somebody may do with the documents of an entity in one call. */
export interface Guard extends Readonly<Partial<Record<WriteKind, DocumentScope>>> {
  /** What the entity is called in rules. */
  readonly entity: string
  readonly read: DocumentScope
  /** Is told which documents were given. */
  readonly onRead?: (documents: readonly object[]) => void
}

/**
 * The operations on the documents that somebody may have. What is out of reach is not found. What may be read and not be written,
 * or would be out of reach once it was written, is an AccessDeniedError. The server alone decides, by the filter that each
 * operation carries, and inside the transaction of a write it looks at what was stored, once more. Operations that could
 * reach further (bulk writes, joins, upserts) are refused: repositories have other ways over such documents.
 */
export class GuardedCollection<Stored extends Identified> extends EntityCollection<Stored> {
  readonly #database: Database
  readonly #guard: Guard
  override readonly canUpsert = false

  constructor(database: Database, entity: Entity<Stored>, guard: Guard) {
    super(database, entity)
    this.#database = database
    this.#guard = guard
  }

  override for(operation: string): EntityCollection<Stored> {
    const other = new GuardedCollection(this.#database, this.entity, this.#guard)
    other.operation = operation
    return other
  }

  override async find<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    options: StoreFindOptions = {},
  ): Promise<Row[]> {
    const query = this.#readable(filter, options)
    return query === undefined ? [] : this.#given(await super.find<Row>(query, options))
  }

  override async findOne<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    options: Omit<StoreFindOptions, 'limit' | 'batchSize'> = {},
  ): Promise<Row | null> {
    const query = this.#readable(filter, options)
    const found = query === undefined ? null : await super.findOne<Row>(query, options)
    if (found !== null) this.#given([found])
    return found
  }

  override async *stream<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    options: StoreFindOptions = {},
  ): AsyncGenerator<Row, void, undefined> {
    const query = this.#readable(filter, options)
    if (query === undefined) return
    for await (const row of super.stream<Row>(query, options)) {
      this.#given([row])
      yield row
    }
  }

  override async *streamRaw(
    filter: StoreFilter<Stored>,
    options: StoreFindOptions = {},
  ): AsyncGenerator<Buffer, void, undefined> {
    const query = this.#readable(filter, options)
    if (query !== undefined) yield* super.streamRaw(query, options)
  }

  override async aggregate<Row extends object>(
    pipeline: StorePipeline,
    options: StoreAggregateOptions = {},
  ): Promise<Row[]> {
    const query = this.#readable({})
    if (query === undefined) return []
    if (joins(pipeline)) throw this.#denied('read')
    return super.aggregate<Row>([{ $match: query }, ...pipeline], options)
  }

  override async *streamAggregate<Row extends object>(
    pipeline: StorePipeline,
    options: StoreAggregateOptions = {},
  ): AsyncGenerator<Row, void, undefined> {
    yield* await this.aggregate<Row>(pipeline, options)
  }

  override async distinct<Value>(field: keyof Stored & string, filter: StoreFilter<Stored> = {}): Promise<Value[]> {
    const query = this.#readable(filter)
    return query === undefined ? [] : super.distinct<Value>(field, query)
  }

  override async count(filter: StoreFilter<Stored> = {}): Promise<number> {
    const query = this.#readable(filter)
    return query === undefined ? 0 : super.count(query)
  }

  override estimatedCount(): Promise<number> {
    return this.count()
  }

  override async insert(documents: readonly NewDocument<Stored>[]): Promise<Stored[]> {
    const scope = this.#scopeOf('create')
    if (scope === 'all') return super.insert(documents)
    return this.#database.transactions.run(async () => {
      const stored = await super.insert(documents)
      for (const { _id } of stored) await this.#requireWithin(_id, 'create', scope)
      return stored
    })
  }

  override async insertOne(document: NewDocument<Stored>): Promise<Stored> {
    const [stored] = await this.insert([document])
    if (stored === undefined) throw this.#denied('create')
    return stored
  }

  override async updateOne(
    filter: StoreFilter<Stored>,
    update: StoreUpdate<Stored> | StorePipeline,
  ): Promise<{ readonly matched: number; readonly created: boolean }> {
    const updated = await this.findOneAndUpdate<Identified>(filter, update, { projection: { _id: 1 } })
    return { matched: updated === null ? 0 : 1, created: false }
  }

  override async findOneAndUpdate<Row extends object = Stored>(
    filter: StoreFilter<Stored>,
    update: StoreUpdate<Stored> | StorePipeline,
    options: Pick<StoreFindOptions, 'sort' | 'projection'> & { readonly upsert?: boolean } = {},
  ): Promise<Row | null> {
    if (options.upsert === true) throw this.#denied('create')
    const kind = isDeletion(update) ? 'delete' : 'update'
    const scope = this.#scopeOf(kind, filter)
    if (scope === 'all') {
      const updated = await super.findOneAndUpdate<Row>(filter, update, options)
      if (updated !== null) this.#given([updated])
      return updated
    }
    return this.#database.transactions.run(async () => {
      const query = within(filter, scope) as StoreFilter<Stored>
      const updated = await super.findOneAndUpdate<Row & Identified>(query, update, options)
      if (updated === null) await this.#requireUnseen(filter, kind)
      else if (kind === 'update') await this.#requireWithin(updated._id, kind, scope)
      if (updated !== null) this.#given([updated])
      return updated
    })
  }

  override async deleteOne(filter: StoreFilter<Stored>): Promise<boolean> {
    const scope = this.#scopeOf('delete', filter)
    if (scope === 'all') return super.deleteOne(filter)
    const isDeleted = await super.deleteOne(within(filter, scope) as StoreFilter<Stored>)
    if (!isDeleted) await this.#requireUnseen(filter, 'delete')
    return isDeleted
  }

  /** Within the scope, by the filter alone: so nothing that scopes look at can be changed. */
  override async updateMany(filter: StoreFilter<Stored>, update: StoreUpdate<Stored> | StorePipeline): Promise<number> {
    const scope = this.#scopeOf('update', filter)
    if (scope === 'all') return super.updateMany(filter, update)
    if (Array.isArray(update) || scope.some((branch) => touches(update, Object.keys(branch))))
      throw this.#denied('update')
    return super.updateMany(within(filter, scope) as StoreFilter<Stored>, update)
  }

  override deleteMany(): Promise<never> {
    return Promise.reject(this.#denied('delete'))
  }

  override bulkWrite(): Promise<never> {
    return Promise.reject(this.#denied('update'))
  }

  #given<Row extends object>(documents: Row[]): Row[] {
    this.#guard.onRead?.(documents)
    return documents
  }

  /** The filter on what may be read; undefined where that is nothing. */
  #readable(filter: StoreFilter<Stored>, { sort }: Pick<StoreFindOptions, 'sort'> = {}) {
    const { read } = this.#guard
    if (read === 'all') return filter
    if (read.length === 0) return undefined
    const query = within(this.#living(filter), read)
    return unmerged(this.entity, query, sort as object | undefined) as StoreFilter<Stored>
  }

  /** Deleted documents are for those who may read all: the indexes of scopes do not have them. */
  #living(filter: Document): Document {
    const isLiving = isDeepStrictEqual(filter.deletedAt, { $eq: null })
    return !this.entity.softDelete || isLiving ? filter : { $and: [filter, { deletedAt: { $eq: null } }] }
  }

  #scopeOf(kind: WriteKind, filter?: StoreFilter<Stored>): DocumentScope {
    const scope = this.#guard[kind] ?? []
    if (scope.length === 0) throw this.#denied(kind, idIn(filter))
    return scope
  }

  /** What is stored has to be within reach still. @throws AccessDeniedError, which takes the transaction back. */
  async #requireWithin(_id: ObjectId, kind: WriteKind, scope: readonly Document[]): Promise<void> {
    const query = within({ _id }, scope) as StoreFilter<Stored>
    const found = await super.findOne<Identified>(query, { projection: { _id: 1 } })
    if (found === null) throw this.#denied(kind, _id.toHexString())
  }

  /** Of what was not met: what may be read is denied, and what may not be read is not there for this user. @throws AccessDeniedError. */
  async #requireUnseen(filter: StoreFilter<Stored>, kind: WriteKind): Promise<void> {
    const found = await this.findOne<Identified>(filter, { projection: { _id: 1 } })
    if (found !== null) throw this.#denied(kind, found._id.toHexString())
  }

  #denied(action: WriteKind | 'read', id?: string): AccessDeniedError {
    return new AccessDeniedError(action, this.#guard.entity, id === undefined ? {} : { id })
  }
}

/** A soft deletion: no caller of a repository can set the field. */
function isDeletion(update: object): boolean {
  const { $set } = update as { readonly $set?: Document }
  return $set !== undefined && Object.hasOwn($set, 'deletedAt')
}

function idIn(filter: object | undefined): string | undefined {
  const { _id } = (filter ?? {}) as { readonly _id?: { toHexString?(): string } }
  return _id?.toHexString?.()
}

/** Whether an update changes one of the paths, or what they are in. */
function touches(update: object, paths: readonly string[]): boolean {
  const heads = new Set(paths.map((path) => path.split('.', 1)[0]))
  return Object.values(update).some((fields) =>
    Object.keys(Object(fields)).some((path) => heads.has(path.split('.', 1)[0])),
  )
}

const joining = new Set(['$lookup', '$graphLookup', '$unionWith', '$out', '$merge'])

function joins(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(joins)
  if (typeof value !== 'object' || value === null || '_bsontype' in value) return false
  return Object.entries(value).some(([name, part]) => joining.has(name) || joins(part))
}
