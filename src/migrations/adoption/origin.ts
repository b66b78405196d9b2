import type { Document, Filter, Sort } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import type { AdoptionMapping, CollectionMapping, OriginSystem } from './mapping/mapping.js'
import { type View, viewOf } from './mapping/view.js'

/** Origin source: where the documents of a system are, before it is known which one has written them. It is read only. */
export interface OriginSource {
  readonly name: string
  /** The names of its collections with documents, and how many each has. */
  counts(): Promise<ReadonlyMap<string, number>>
  /** The documents that match, fetched in batches as they are consumed. */
  stream(collection: string, filter: Filter<Document>, sort: Sort): AsyncGenerator<Document, void, undefined>
  /** What system has written it; undefined if it looks like none that is known. */
  system(): Promise<OriginSystem | undefined>
  close(): void
}

/** A database on the same server. */
export class OriginDatabase implements OriginSource {
  readonly name: string
  readonly #database: Database
  readonly #ours: ReadonlySet<string>

  /** @param ours The collections in it that are ours: it may be the same database. */
  constructor(database: Database, name: string, ours: ReadonlySet<string>) {
    this.#database = database
    this.name = name
    this.#ours = ours
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    const infos = await this.#guarded(() => this.#db.listCollections({}, { nameOnly: true }).toArray())
    const names = infos.flatMap(({ name, type }) =>
      type === 'view' || name.startsWith('system.') || this.#ours.has(name) ? [] : [name],
    )
    const counts = new Map<string, number>()
    for (const name of names.toSorted()) {
      counts.set(name, await this.#guarded(() => this.#db.collection(name).estimatedDocumentCount()))
    }
    return counts
  }

  async *stream(collection: string, filter: Filter<Document>, sort: Sort): AsyncGenerator<Document, void, undefined> {
    this.#database.requireOpen()
    try {
      yield* this.#db.collection(collection).find(filter, { sort, allowDiskUse: true })
    } catch (error) {
      throw this.#translated(error)
    }
  }

  async system(): Promise<OriginSystem | undefined> {
    const counts = await this.counts()
    const has = async (collection: string, field: string) => {
      if (!counts.has(collection)) return false
      const filter = { [field]: { $exists: true } }
      return (await this.#guarded(() => this.#db.collection(collection).findOne(filter))) !== null
    }
    if (await has('devices', 'switches')) return 'autovolt'
    if (await has('iot_devices', 'device_id')) return 'solchain'
    if ((await has('users', 'auth')) || (await has('devices', 'energyRole'))) return 'maestro'
    return (await has('users', 'tenant_id')) ? 'jupiter' : undefined
  }

  close(): void {
    // The connection is the handle's.
  }

  get #db() {
    return this.#database.client.db(this.name)
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#database.requireOpen()
    try {
      return await work()
    } catch (error) {
      throw this.#translated(error)
    }
  }

  #translated(thrown: unknown): unknown {
    const error = translateError(thrown)
    if (!(error instanceof DatabaseError) || error.code !== 'NOT_AUTHORIZED') return error
    const next = `give the user of the connection the role read on ${this.name}`
    return new DatabaseError('NOT_AUTHORIZED', `${error.message}. Next: ${next}`, { cause: error })
  }
}

/** The database that is adopted, seen as the public versions of its system have it. */
export class Origin {
  readonly name: string
  readonly mapping: AdoptionMapping
  readonly #source: OriginSource
  readonly #views = new Map<string, View>()
  /** The documents as they are in the database, where they are seen otherwise. */
  readonly #raw = new WeakMap<Document, Document>()

  constructor(source: OriginSource, mapping: AdoptionMapping) {
    this.#source = source
    this.name = source.name
    this.mapping = mapping
    for (const [key, collection] of Object.entries(mapping.collections)) {
      if (!key.includes('.')) this.#views.set(key, viewOf(collection, itemsOf(mapping, key)))
    }
  }

  counts(): Promise<ReadonlyMap<string, number>> {
    return this.#source.counts()
  }

  close(): void {
    this.#source.close()
  }

  /** The name that a collection has in the database. */
  nameOf(collection: string): string {
    return this.#views.get(collection)?.from ?? collection
  }

  /** What the public versions call a collection of the database; undefined for one that nothing is made of. */
  standardNameOf(name: string): string | undefined {
    return [...this.#views].find(([, { from }]) => from === name)?.[0]
  }

  /** A document of a collection with the fields where the public versions have them. */
  see(collection: string, document: Document): Document {
    return this.#views.get(collection)?.see(document) ?? document
  }

  /** The document as it is in the database. */
  rawOf(document: Document): Document {
    return this.#raw.get(document) ?? document
  }

  /** The documents of a collection that has not many, by their ids. */
  async list(collection: string): Promise<Document[]> {
    const found: Document[] = []
    for await (const document of this.stream(collection, {}, { _id: 1 })) found.push(document)
    return found
  }

  /** The documents that match, fetched in batches as they are consumed; none of a collection that is left out. */
  async *stream(
    collection: string,
    filter: Filter<Document>,
    sort: Readonly<Record<string, 1>>,
  ): AsyncGenerator<Document, void, undefined> {
    const view = this.#views.get(collection)
    if (view === undefined || view.from === null) return
    for await (const document of this.#source.stream(view.from, view.query(filter), view.query(sort))) {
      const seen = view.see(document)
      if (seen !== document) this.#raw.set(seen, document)
      yield seen
    }
  }

  /** What becomes of a value of a field. */
  valueOf(collection: string, field: string, value: unknown): string | undefined {
    const table = this.mapping.collections[collection]?.values?.[field] ?? {}
    return typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : table['*']
  }
}

/** The mappings of lists in the documents of a collection. */
function itemsOf({ collections }: AdoptionMapping, key: string): Readonly<Record<string, CollectionMapping>> {
  const inside = Object.entries(collections).filter(([name]) => name.startsWith(`${key}.`))
  return Object.fromEntries(inside.map(([name, mapping]) => [name.slice(key.length + 1), mapping]))
}
