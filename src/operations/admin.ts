import type { Document } from 'mongodb'
import type { Database } from '../core/database.js'
import { DatabaseError } from '../core/errors.js'
import { translateError } from '../core/translate-error.js'

/** Unavailable: what the role, or the kind of server, does not let be known. */
export interface Unavailable {
  readonly unavailable: string
}

/** Commands about the server and the database themselves, with our errors. */
export class Admin {
  readonly database: Database

  constructor(database: Database) {
    this.database = database
  }

  /** Runs a command on this database. */
  run(command: Document): Promise<Document> {
    return this.#translated(() => this.database.native.command(command))
  }

  /** Runs a command on the database `admin`. */
  runOnServer(command: Document): Promise<Document> {
    return this.#translated(() => this.database.native.admin().command(command))
  }

  /** The documents of an aggregation that begins with one of the stages about a collection, or about the server. */
  aggregate(collection: string | null, pipeline: readonly Document[]): Promise<Document[]> {
    const { native, client } = this.database
    return this.#translated(() =>
      collection === null
        ? client
            .db('admin')
            .aggregate([...pipeline])
            .toArray()
        : native
            .collection(collection)
            .aggregate([...pipeline])
            .toArray(),
    )
  }

  /** The newest documents of a collection, as they lie there, the newest first. */
  newest(collection: string, filter: Document, limit: number): Promise<Document[]> {
    const options = { sort: { $natural: -1 }, limit } as const
    return this.#translated(() => this.database.native.collection(collection).find(filter, options).toArray())
  }

  async #translated<Result>(work: () => Promise<Result>): Promise<Result> {
    this.database.requireOpen()
    try {
      return await work()
    } catch (error) {
      throw translateError(error)
    }
  }
}

/** What the work gives, or why it may not be known. @throws what is no matter of rights, or of the kind of server. */
export async function ifAllowed<Result>(work: () => Promise<Result>): Promise<Result | Unavailable> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    if (error.code === 'NOT_AUTHORIZED') return { unavailable: 'the role does not allow it' }
    if (error.code === 'DATABASE' && !error.retryable) return { unavailable: error.message }
    throw error
  }
}

export function isUnavailable(value: unknown): value is Unavailable {
  return typeof value === 'object' && value !== null && 'unavailable' in value
}

/** A number of a server's answer, which may be of any of BSON's types of numbers. */
export function numberOf(value: unknown): number {
  const number = Number(value ?? 0)
  return Number.isFinite(number) ? number : 0
}
