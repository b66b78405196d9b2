import type { Collection, Db } from 'mongodb'
import type { Database } from '../../core/database.js'
import { defineAppendOnlyEntity, type EntityDescription } from '../../core/entity.js'
import type { WriteGuard } from './fence.js'

type Method = (...given: unknown[]) => unknown

/** Where the options are among what the driver's methods take. */
const writes: Readonly<Record<string, number>> = {
  insertOne: 1,
  insertMany: 1,
  updateOne: 2,
  updateMany: 2,
  replaceOne: 2,
  deleteOne: 1,
  deleteMany: 1,
  findOneAndUpdate: 2,
  findOneAndReplace: 2,
  findOneAndDelete: 1,
  bulkWrite: 1,
}
const reads: Readonly<Record<string, number>> = { findOne: 1, countDocuments: 1, distinct: 2 }
const cursors: Readonly<Record<string, number>> = { find: 1, aggregate: 1 }
/** What cannot be part of a transaction: before it the lock is looked at. */
const structural: ReadonlySet<string> = new Set([
  'createIndex',
  'createIndexes',
  'dropIndex',
  'dropIndexes',
  'drop',
  'rename',
  'createCollection',
  'dropCollection',
  'renameCollection',
  'dropDatabase',
  'command',
])

/**
 * The driver's database for a migration. Its collections take part in the running transaction by themselves; outside of
 * one, each write runs in a transaction of its own that fails if the migration lock was lost. So it can write nothing after
 * that, and one write may last as long as a transaction: a minute.
 */
export function guardedDb(database: Database, fence: WriteGuard): Db {
  const guard = new Guard(database, fence)
  return new Proxy(database.native, {
    get: (target, name) => {
      if (name === 'collection') return (...given: Parameters<Db['collection']>) => guard.collection(...given)
      return guard.member(target, name)
    },
  })
}

class Guard {
  readonly #database: Database
  readonly #fence: WriteGuard
  readonly #timeSeries = new Map<string, Promise<boolean>>()

  constructor(database: Database, fence: WriteGuard) {
    this.#database = database
    this.#fence = fence
  }

  collection(...given: Parameters<Db['collection']>): Collection {
    const collection = this.#database.native.collection(...given)
    return new Proxy(collection, {
      get: (target, name) => {
        const key = String(name)
        if (Object.hasOwn(writes, key)) return this.#write(target, key, writes[key] ?? 0)
        if (Object.hasOwn(reads, key)) return this.#read(target, key, reads[key] ?? 0)
        if (Object.hasOwn(cursors, key)) return this.#cursor(target, key, cursors[key] ?? 0)
        return this.member(target, name)
      },
    })
  }

  /** A member of the driver's object, with the look at the lock where it changes the structure. */
  member(target: object, name: string | symbol): unknown {
    const member: unknown = Reflect.get(target, name, target)
    if (typeof member !== 'function') return member
    const call = member.bind(target) as Method
    if (!structural.has(String(name))) return call
    return async (...given: unknown[]) => {
      await this.#fence.check()
      return call(...given)
    }
  }

  #write(target: Collection, name: string, at: number): Method {
    return async (...given) => {
      const work = () => this.#run(target, name, at, given)
      const isInside = this.#database.transactions.session !== undefined
      if (isInside || !(await this.#isTimeSeries(target.collectionName))) return this.#fence.transaction(work)
      await this.#fence.check()
      return work()
    }
  }

  #read(target: Collection, name: string, at: number): Method {
    return (...given) => this.#run(target, name, at, given)
  }

  #cursor(target: Collection, name: string, at: number): Method {
    return (...given) => {
      const { session } = this.#database.transactions
      return methodOf(target, name)(...withSession(given, at, session))
    }
  }

  #run(target: Collection, name: string, at: number, given: readonly unknown[]): Promise<unknown> {
    return this.#database.run(plainEntity(target.collectionName), name, async (session) =>
      methodOf(target, name)(...withSession(given, at, session)),
    )
  }

  /** Into a time-series collection nothing can be written in a transaction. */
  #isTimeSeries(name: string): Promise<boolean> {
    const found = this.#timeSeries.get(name) ?? this.#askForKind(name)
    this.#timeSeries.set(name, found)
    return found
  }

  async #askForKind(name: string): Promise<boolean> {
    const [found] = await this.#database.native.listCollections({ name }, { nameOnly: true }).toArray()
    return found?.type === 'timeseries'
  }
}

const entities = new Map<string, EntityDescription>()

/** A collection that nothing is known of, for messages and logs. */
export function plainEntity(collection: string): EntityDescription {
  const known = entities.get(collection) ?? defineAppendOnlyEntity({ name: 'document', collection, fields: {} })
  entities.set(collection, known)
  return known
}

function methodOf(target: Collection, name: string): Method {
  return (Reflect.get(target, name, target) as Method).bind(target)
}

/** The arguments, with the session among the options. */
function withSession(given: readonly unknown[], at: number, session: unknown): unknown[] {
  if (session === undefined) return [...given]
  const before = Array.from({ length: at }, (_, index) => given[index])
  return [...before, { ...Object(given[at]), session }, ...given.slice(at + 1)]
}
