import { setMaxListeners } from 'node:events'
import { inspect } from 'node:util'
import type { ClientSession, Collection, Db, MongoClient } from 'mongodb'
import type { Connection } from 'mongoose'
import type { Clock } from './clock.js'
import { type CollectionOptions, EntityCollection } from './collection/entity-collection.js'
import { ValidatorBypass } from './collection/validator-bypass.js'
import type { Entity, EntityDescription, Identified } from './entity.js'
import { DatabaseError, type ErrorCode } from './errors.js'
import type { KeyRing } from './key-ring.js'
import { leaseEntity, type StoredLease } from './lease-entity.js'
import type { Logger } from './logger.js'
import { Models } from './model.js'
import { PeriodicWork } from './periodic.js'
import { OriginalError } from './redact.js'
import { Transactions } from './transaction.js'
import { subjectOf, translateError } from './translate-error.js'
import { within } from './within.js'

export interface DatabaseOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly logger: Logger
  readonly keyRing: KeyRing | undefined
  /** Logs each operation at debug level: collection, operation, duration; never a value. */
  readonly logQueries: boolean
  /** The leases that this handle's processes take from each other. @default our own, under their usual name */
  readonly leaseEntity?: Entity<StoredLease>
}

/** How documents are read and written, whatever a borrowed connection was opened with. */
const conversions = {
  ignoreUndefined: true,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
  serializeFunctions: false,
  raw: false,
}

/** How long the turns of periodic work have to end once the handle is closed. */
const longestTurnEndMs = 5_000

const ofCutOff: ReadonlySet<ErrorCode> = new Set(['CONNECTION', 'CLOSED', 'DATABASE'])

/** What every repository of a handle shares: the connection, the running transaction, clock, logger and keys. */
export class Database {
  readonly connection: Connection
  readonly clock: Clock
  readonly logger: Logger
  readonly transactions: Transactions
  readonly models: Models
  /** What this handle does every so often. @internal */
  readonly periodic: PeriodicWork
  /** @internal */
  readonly leaseEntity: Entity<StoredLease>
  /** @internal */
  readonly validatorBypass: ValidatorBypass
  readonly #closing = new AbortController()
  readonly #keyRing: KeyRing | undefined
  readonly #logQueries: boolean
  readonly #collections = new Map<string, Collection>()
  #native: Db | undefined
  #supportsTransactions: boolean | undefined
  #isClosed = false

  constructor(options: DatabaseOptions) {
    this.connection = options.connection
    this.clock = options.clock
    this.logger = options.logger
    this.#keyRing = options.keyRing
    this.#logQueries = options.logQueries
    this.validatorBypass = new ValidatorBypass(options.logger)
    this.leaseEntity = options.leaseEntity ?? leaseEntity
    this.models = new Models(options.connection, options.clock)
    this.periodic = new PeriodicWork(options.clock, options.logger)
    // Each change stream listens, and there may be any number of them.
    setMaxListeners(0, this.#closing.signal)
    this.transactions = new Transactions(
      () => this.client,
      () => this.requireReplicaSet('Transactions'),
    )
  }

  /** Aborted when the handle is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /**
   * Ends what the handle has running: periodic work may end its turn within some seconds, then operations are refused. The
   * connection is its opener's to close.
   */
  async close(): Promise<void> {
    this.#closing.abort()
    const ended = this.periodic.stop()
    if (this.periodic.isRunning) await within(longestTurnEndMs, ended)
    this.#isClosed = true
    this.models.remove()
  }

  /** Without the connection, which knows the credentials. */
  toJSON(): Record<string, unknown> {
    return { name: this.connection.name }
  }

  [inspect.custom](): string {
    return `Database ${this.connection.name}`
  }

  get client(): MongoClient {
    return this.connection.getClient() as unknown as MongoClient
  }

  /** The driver's database. Undefined values are left out of what is written. */
  get native(): Db {
    const { client } = this
    // A host may have closed its connection and opened it again, which makes another client.
    if (this.#native === undefined || this.#native.client !== client) {
      this.#native = client.db(this.connection.name, conversions)
      this.#collections.clear()
    }
    return this.#native
  }

  /** @throws DatabaseError `KEY_RING` if the handle was opened without keys. */
  get keyRing(): KeyRing {
    if (this.#keyRing === undefined) {
      throw new DatabaseError('KEY_RING', 'Secrets are encrypted at rest: open the handle with `keys`')
    }
    return this.#keyRing
  }

  /** The operations on an entity's documents. @internal */
  of<Stored extends Identified>(entity: Entity<Stored>, options?: CollectionOptions): EntityCollection<Stored> {
    return new EntityCollection(this, entity, options)
  }

  collectionOf<T extends Identified>({ collection: name }: EntityDescription): Collection<T> {
    const { native } = this
    const collection = this.#collections.get(name) ?? native.collection(name)
    this.#collections.set(name, collection)
    return collection as unknown as Collection<T>
  }

  /**
   * Runs one operation: in the caller's transaction, in its turn, or on its own. Whatever it throws leaves as one of our
   * errors.
   */
  run<Result>(
    entity: EntityDescription,
    operation: string,
    task: (session: ClientSession | undefined) => Promise<Result>,
  ): Promise<Result> {
    const result = this.transactions.execute((session) => this.#attempt(entity, task, session))
    return this.#logQueries ? this.#logged(entity, operation, result) : result
  }

  /** @throws DatabaseError `CLOSED` after {@link close}. */
  requireOpen(): void {
    if (this.#isClosed) throw new DatabaseError('CLOSED', 'The handle is closed')
  }

  /** @throws DatabaseError `REPLICA_SET_REQUIRED` on a standalone server. */
  async requireReplicaSet(what: string): Promise<void> {
    this.requireOpen()
    this.#supportsTransactions ??= await this.#askForReplicaSet()
    if (!this.#supportsTransactions) {
      throw new DatabaseError(
        'REPLICA_SET_REQUIRED',
        `${what} need a replica set or a sharded cluster, and this is a standalone server; a replica set of one member is enough (mongod --replSet, then rs.initiate())`,
      )
    }
  }

  /** The errors of a transaction's operations are kept by it, so they are translated before they get there. */
  async #attempt<Result>(
    entity: EntityDescription,
    task: (session: ClientSession | undefined) => Promise<Result>,
    session: ClientSession | undefined,
  ): Promise<Result> {
    this.requireOpen()
    try {
      return await task(session)
    } catch (error) {
      const translated = isOverflow(error) ? tooLarge(error) : translateError(error, subjectOf(entity))
      // Closing takes the connection from under the calls that are on their way, which shows in many kinds of errors.
      const isCutOff = this.#isClosed && translated instanceof DatabaseError && ofCutOff.has(translated.code)
      throw isCutOff
        ? new DatabaseError('CLOSED', 'The handle was closed meanwhile', { cause: translated })
        : translated
    }
  }

  async #logged<Result>(entity: EntityDescription, operation: string, result: Promise<Result>): Promise<Result> {
    const startedMs = performance.now()
    try {
      return await result
    } finally {
      const durationMs = Math.round((performance.now() - startedMs) * 1000) / 1000
      this.logger.debug({ collection: entity.collection, operation, durationMs }, 'query')
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

/** The driver's buffer for a message ends where no server would take it any more. */
function isOverflow(error: unknown): error is RangeError {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE'
}

function tooLarge(error: RangeError): DatabaseError {
  return new DatabaseError('DATABASE', 'The data cannot be stored: a document may have 16 MB', {
    cause: new OriginalError(error),
  })
}
