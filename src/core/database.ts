import type { ClientSession, Collection, Db, MongoClient } from 'mongodb'
import type { Connection } from 'mongoose'
import type { Clock } from './clock.js'
import type { EntityDescription, Identified } from './entity.js'
import { DatabaseError } from './errors.js'
import type { KeyRing } from './key-ring.js'
import type { Logger } from './logger.js'
import { Transactions } from './transaction.js'
import { translateError } from './translate-error.js'

export interface DatabaseOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly logger: Logger
  readonly keyRing: KeyRing | undefined
  /** Logs each operation at debug level: collection, operation, duration; never a value. */
  readonly logQueries: boolean
}

/** What every repository of a handle shares: the connection, the running transaction, clock, logger and keys. */
export class Database {
  readonly connection: Connection
  readonly clock: Clock
  readonly logger: Logger
  readonly transactions: Transactions
  readonly #keyRing: KeyRing | undefined
  readonly #logQueries: boolean
  #native: Db | undefined
  #supportsTransactions: boolean | undefined

  constructor(options: DatabaseOptions) {
    this.connection = options.connection
    this.clock = options.clock
    this.logger = options.logger
    this.#keyRing = options.keyRing
    this.#logQueries = options.logQueries
    this.transactions = new Transactions(
      () => this.client,
      () => this.requireReplicaSet('Transactions'),
    )
  }

  get client(): MongoClient {
    return this.connection.getClient() as unknown as MongoClient
  }

  /** The driver's database. Undefined values are left out of what is written. */
  get native(): Db {
    this.#native ??= this.client.db(this.connection.name, { ignoreUndefined: true })
    return this.#native
  }

  /** @throws DatabaseError `KEY_RING` if the handle was opened without keys. */
  get keyRing(): KeyRing {
    if (this.#keyRing === undefined) {
      throw new DatabaseError('KEY_RING', 'Secrets are encrypted at rest: open the handle with `keys`')
    }
    return this.#keyRing
  }

  get hasKeyRing(): boolean {
    return this.#keyRing !== undefined
  }

  collectionOf<T extends Identified>(entity: EntityDescription): Collection<T> {
    return this.native.collection<T>(entity.collection)
  }

  /**
   * Runs one operation: in the caller's transaction, in its turn, or on its own. Whatever it throws leaves as one of our
   * errors.
   */
  async run<Result>(
    entity: EntityDescription,
    operation: string,
    task: (session: ClientSession | undefined) => Promise<Result>,
  ): Promise<Result> {
    const startedMs = this.#logQueries ? performance.now() : 0
    try {
      return await this.transactions.execute(task)
    } catch (error) {
      throw translateError(error, { name: entity.name, secretFields: new Set(Object.keys(entity.secrets)) })
    } finally {
      if (this.#logQueries) {
        const durationMs = Math.round((performance.now() - startedMs) * 1000) / 1000
        this.logger.debug({ collection: entity.collection, operation, durationMs }, 'query')
      }
    }
  }

  /** @throws DatabaseError `REPLICA_SET_REQUIRED` on a standalone server. */
  async requireReplicaSet(what: string): Promise<void> {
    this.#supportsTransactions ??= await this.#askForReplicaSet()
    if (!this.#supportsTransactions) {
      throw new DatabaseError(
        'REPLICA_SET_REQUIRED',
        `${what} need a replica set or a sharded cluster, and this is a standalone server; a replica set of one member is enough (mongod --replSet, then rs.initiate())`,
      )
    }
  }

  async #askForReplicaSet(): Promise<boolean> {
    try {
      const hello = await this.native.admin().command({ hello: 1 })
      return typeof hello.setName === 'string' || hello.msg === 'isdbgrid'
    } catch (error) {
      throw translateError(error)
    }
  }
}
