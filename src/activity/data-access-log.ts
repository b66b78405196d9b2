import { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreWrite } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity, Identified } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { type DataAccess, hourOf } from './data-access.js'
import { personalReadOf } from './personal-fields-read.js'

/** Data-access log options: how much of it is kept. */
export interface DataAccessLogOptions {
  /** Seconds after which records go, null for never; `setup()` sets it. @default 31 536 000, 365 days */
  readonly expireAfterSeconds?: number | null
  /** No more are stored once there are as many. @default 1 000 000 */
  readonly maximumRecords?: number
}

const defaultMaximumRecords = 1_000_000

/** Documents of one entity that one user has read and that are not recorded yet. */
interface Pending {
  readonly entity: Entity
  readonly reader: ObjectId
  /** By the ids of documents the names of the fields that were read. */
  readonly fields: Map<string, Set<string>>
  readonly firstAt: Date
  lastAt: Date
}

interface Access extends Pick<DataAccess, 'entity' | 'firstAt' | 'lastAt' | 'reader' | 'subject'> {
  readonly fields: Set<string>
  documents: number
}

const batchMs = 2_000
/** Documents that wait to be recorded; of what is read beyond, the number alone is logged. */
const maximumPending = 20_000
const documentsAtOnce = 1_000

/**
 * Records who has read personal fields of whom. A read only notes what it has given; whose documents these are is looked up with the
 * batch, some time later. Whatever goes wrong with that is logged, and fails no read.
 */
export class DataAccessLog {
  readonly #database: Database
  readonly #accesses: EntityCollection<DataAccess>
  readonly #maximumRecords: number
  #pending = new Map<string, Pending>()
  #size = 0
  #leftOut = 0
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined

  /** @throws DatabaseError `CONFIGURATION` for a number that is none. */
  constructor(
    database: Database,
    accesses: Entity<DataAccess>,
    { maximumRecords = defaultMaximumRecords }: DataAccessLogOptions,
  ) {
    if (!Number.isInteger(maximumRecords) || maximumRecords < 1)
      throw new DatabaseError('CONFIGURATION', '`dataAccessLog.maximumRecords` takes whole numbers from 1')
    this.#database = database
    this.#accesses = database.of(accesses, { isOutside: true }).for('dataAccess')
    this.#maximumRecords = maximumRecords
    database.beforeClose(() => (this.#size === 0 && this.#flushing === undefined ? undefined : this.flush()))
  }

  /** Notes what a user has read. */
  note(reader: ObjectId, entity: Entity, documents: readonly object[]): void {
    const read = personalReadOf(entity)
    if (read === null || documents.length === 0) return
    const key = `${reader.toHexString()} ${entity.name}`
    const now = this.#database.clock.now()
    const pending = this.#pending.get(key) ?? { entity, reader, fields: new Map(), firstAt: now, lastAt: now }
    pending.lastAt = now
    for (const document of documents) {
      const names = Object.keys(document).filter((name) => read.fields.has(name))
      const { _id } = document as Partial<Identified>
      if (names.length > 0 && _id instanceof ObjectId) this.#noteOne(pending, _id.toHexString(), names)
    }
    if (pending.fields.size > 0) this.#pending.set(key, pending)
    if (this.#size > 0) this.#timer ??= setTimeout(() => void this.flush(), batchMs).unref()
  }

  /** Records what was noted so far. It never fails. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = [...this.#pending.values()]
    const leftOut = this.#leftOut
    this.#pending = new Map()
    this.#size = 0
    this.#leftOut = 0
    const before = this.#flushing ?? Promise.resolve()
    const flushing = before
      .then(() => this.#database.transactions.outside(() => this.#record(batch, leftOut)))
      .finally(() => {
        if (this.#flushing === flushing) this.#flushing = undefined
      })
    this.#flushing = flushing
    return flushing
  }

  #noteOne({ fields }: Pending, id: string, names: readonly string[]): void {
    const known = fields.get(id)
    if (known !== undefined) {
      for (const name of names) known.add(name)
      return
    }
    if (this.#size >= maximumPending) this.#leftOut += 1
    else {
      this.#size += 1
      fields.set(id, new Set(names))
    }
  }

  async #record(batch: readonly Pending[], leftOut: number): Promise<void> {
    if (leftOut > 0) this.#warn('reads of personal fields came faster than they are recorded', leftOut)
    try {
      const accesses = new Map<string, Access>()
      for (const pending of batch) await this.#addAccesses(accesses, pending)
      if (accesses.size === 0) return
      if ((await this.#accesses.estimatedCount()) >= this.#maximumRecords) {
        this.#warn('the log of data accesses is full', accesses.size)
        return
      }
      await this.#accesses.bulkWrite([...accesses.values()].map(writeOf), { isUnordered: true })
    } catch (error) {
      const count = batch.reduce((sum, { fields }) => sum + fields.size, 0)
      this.#warn(`data accesses could not be recorded: ${error instanceof Error ? error.message : ''}`, count)
    }
  }

  /** Whose documents they are; a reader's own are left out. */
  async #addAccesses(accesses: Map<string, Access>, pending: Pending): Promise<void> {
    const { entity, reader, firstAt, lastAt } = pending
    const { paths = [] } = personalReadOf(entity) ?? {}
    for await (const { document, names } of this.#owned(pending, paths)) {
      const persons = new Set(paths.flatMap((path) => idsAt(document, path.split('.'))))
      persons.delete(reader.toHexString())
      for (const person of persons) {
        const key = `${person} ${reader.toHexString()} ${entity.name}`
        const subject = new ObjectId(person)
        const known = accesses.get(key)
        const access = known ?? {
          subject,
          reader,
          entity: entity.name,
          fields: new Set(),
          documents: 0,
          firstAt,
          lastAt,
        }
        accesses.set(key, access)
        access.documents += 1
        for (const name of names) access.fields.add(name)
      }
    }
  }

  /** The documents as far as they say whom they are about. */
  async *#owned({ entity, fields }: Pending, paths: readonly string[]) {
    const documents = this.#database.of(entity, { isOutside: true }).for('dataAccess')
    const projection = Object.fromEntries([...paths, '_id'].map((path) => [path, 1 as const]))
    const ids = [...fields.keys()]
    for (let at = 0; at < ids.length; at += documentsAtOnce) {
      const some = ids.slice(at, at + documentsAtOnce).map((id) => new ObjectId(id))
      const found =
        paths.join() === '_id'
          ? some.map((_id) => ({ _id }))
          : await documents.find<Identified>({ _id: { $in: some } }, { projection })
      for (const document of found)
        yield { document, names: fields.get(document._id.toHexString()) ?? new Set<string>() }
    }
  }

  #warn(message: string, accesses: number): void {
    this.#database.logger.warn({ accesses }, message)
  }
}

function writeOf({ subject, reader, entity, fields, documents, firstAt, lastAt }: Access): StoreWrite<DataAccess> {
  const by = {
    $inc: { documents },
    $addToSet: { fields: { $each: [...fields] } },
    $min: { firstAt },
    $max: { lastAt },
  }
  return { update: { subject, hour: hourOf(lastAt), reader, entity }, by, upsert: true }
}

/** The ids at a path, through lists too. */
function idsAt(value: unknown, [head, ...tail]: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => idsAt(item, head === undefined ? [] : [head, ...tail]))
  if (head !== undefined)
    return typeof value === 'object' && value !== null ? idsAt(Reflect.get(value, head), tail) : []
  if (value instanceof ObjectId) return [value.toHexString()]
  return typeof value === 'string' && /^[0-9a-f]{24}$/.test(value) ? [value] : []
}
