import { setMaxListeners } from 'node:events'
import { inspect } from 'node:util'
import type { ClientSession, Collection, Db, MongoClient } from 'mongodb'
import type { Connection } from 'mongoose'
import type { Clock } from './clock.js'
import type { CollectionOptions } from './collection/collection-options.js'
import { EntityCollection } from './collection/entity-collection.js'
import { ValidatorBypass } from './collection/validator-bypass.js'
import { conversions } from './conversions.js'
import type { Entity, EntityDescription, Identified } from './entity.js'
import { DatabaseError, type ErrorCode } from './errors.js'
import type { KeyRing } from './key-ring.js'
import { leaseEntity, type StoredLease } from './lease-entity.js'
import type { Logger } from './logger.js'
import { Models } from './model.js'
import { OpenWatches } from './open-watches.js'
import { overflowOf } from './overflow.js'
import { PeriodicWork } from './periodic.js'
import type { SecretHasher } from './secret-hasher.js'
import { SelfCheck } from './self-check/self-check.js'
import { type WorkRecord, WorkRecords, workRecordEntity } from './self-check/work-records.js'
import { settlesWithin } from './settles-within.js'
import { DatabaseKeyStore, keyDatabaseOf } from './subject-keys/database-key-store.js'
import type { SubjectKeyStore } from './subject-keys/subject-key-store.js'
import { SubjectKeys } from './subject-keys/subject-keys.js'
import { Transactions } from './transaction.js'
import { subjectOf, translateError } from './translate-error.js'

export interface DatabaseOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly logger: Logger
  readonly keyRing: KeyRing | undefined
  /** Where the keys of persons are. @default a database of its own, beside the handle's */
  readonly subjectKeys?: SubjectKeyStore | { readonly database: string }
  /** For secrets that are kept as hashes. Its opener closes it. */
  readonly hasher?: SecretHasher
  /** Logs each operation at debug level: collection, operation, duration; never a value. */
  readonly logQueries: boolean
  /** The leases that this handle's processes take from each other. @default our own, under their usual name */
  readonly leaseEntity?: Entity<StoredLease>
  /** Where it is recorded how far periodic work has come. @default our own, under its usual name */
  readonly workRecordEntity?: Entity<WorkRecord>
}

/** Looks whether an operation may be run now; undefined where it need not wait to know. Throws if it may not. */
export type OperationGuard = () => Promise<void> | undefined

/** How long what is under way has to end once the handle is closed. */
const longestEndMs = 5_000

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
  /** Looks for what would otherwise stay silent. @internal */
  readonly selfCheck: SelfCheck
  /** How far periodic work has come, in any process. @internal */
  readonly workRecords: WorkRecords
  /** @internal */
  readonly leaseEntity: Entity<StoredLease>
  /** @internal */
  readonly watches = new OpenWatches()
  /** The keys of persons, with which some of their fields are sealed. @internal */
  readonly subjectKeys: SubjectKeys
  readonly #keyStore: SubjectKeyStore
  /** @internal */
  readonly validatorBypass: ValidatorBypass
  readonly #closing = new AbortController()
  readonly #options: DatabaseOptions
  readonly #guards: OperationGuard[] = []
  readonly #endings: (() => Promise<void> | undefined)[] = []
  readonly #keyRing: KeyRing | undefined
  readonly #logQueries: boolean
  readonly #collections = new Map<string, Collection>()
  #native: Db | undefined
  #supportsTransactions: boolean | undefined
  #isClosed = false

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.connection = options.connection
    this.clock = options.clock
    this.logger = options.logger
    this.#keyRing = options.keyRing
    this.#logQueries = options.logQueries
    this.validatorBypass = new ValidatorBypass(options.logger)
    this.leaseEntity = options.leaseEntity ?? leaseEntity
    this.models = new Models(options.connection, options.clock)
    this.periodic = new PeriodicWork(options.clock, options.logger)
    this.selfCheck = new SelfCheck(this.periodic, options.logger)
    this.beforeClose(() => this.selfCheck.end())
    this.selfCheck.add(async () => this.watches.notice(this.client))
    const { name } = options.connection
    const keys = options.subjectKeys ?? { database: keyDatabaseOf(name) }
    this.#keyStore = 'read' in keys ? keys : new DatabaseKeyStore(() => this.client, keys.database)
    this.subjectKeys = new SubjectKeys(this.#keyStore, () => this.keyRing)
    const workRecords = options.workRecordEntity ?? workRecordEntity
    this.workRecords = new WorkRecords({
      records: this.of(workRecords),
      recordsOutside: this.of(workRecords, { isOutside: true }),
      clock: options.clock,
      periodic: this.periodic,
    })
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
   * Has something done when the handle is closed, before operations are refused.
   * @param end Gives nothing if there is nothing to wait for.
   * @internal
   */
  beforeClose(end: () => Promise<void> | undefined): void {
    this.#endings.push(end)
  }

  /**
   * Ends what the handle has running: periodic work may end its turn within some seconds, then operations are refused. The
   * connection is its opener's to close.
   */
  async close(): Promise<void> {
    this.#closing.abort()
    const isRunning = this.periodic.isRunning
    const endings = [...(isRunning ? [this.periodic.stop()] : []), ...this.#endings.flatMap((end) => end() ?? [])]
    if (endings.length > 0) await settlesWithin(longestEndMs, Promise.all(endings))
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
    // Mongoose may have brought another copy of the driver, whose client is of another type.
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

  /** What makes the hashes of secrets that are kept as such. @internal */
  get hasher(): SecretHasher {
    const { hasher } = this.#options
    if (hasher === undefined)
      throw new DatabaseError('CONFIGURATION', 'The database was made without a hasher of secrets')
    return hasher
  }

  /** Whether the handle was opened with keys. @internal */
  get hasKeyRing(): boolean {
    return this.#keyRing !== undefined
  }

  /** Has every operation of this handle wait for the guard. @internal */
  addGuard(guard: OperationGuard): void {
    this.#guards.push(guard)
  }

  /** Another database of the same server, or this one, over the same connection and without the guards of this one. @internal */
  sibling(name: string): Database {
    const connection = this.connection.useDb(name, { useCache: true })
    return new Database({ ...this.#options, connection, subjectKeys: this.#keyStore })
  }

  /** The operations on an entity's documents. @internal */
  of<Stored extends Identified>(entity: Entity<Stored>, options?: CollectionOptions): EntityCollection<Stored> {
    return new EntityCollection(this, entity, options)
  }

  collectionOf<T extends Identified>({ collection: name }: EntityDescription): Collection<T> {
    const { native } = this
    const collection = this.#collections.get(name) ?? native.collection(name)
    this.#collections.set(name, collection)
    // The driver's collections are kept by name; the entity says what documents they have.
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

  /**
   * Runs work that only reads, all of it as of one point of time: in the caller's transaction, or in one of its own. A
   * standalone server has no transactions: there it reads one thing after the other.
   */
  async inSnapshot<Result>(work: () => Promise<Result>): Promise<Result> {
    return (await this.#hasTransactions()) ? this.transactions.run(work) : work()
  }

  /** @throws DatabaseError `REPLICA_SET_REQUIRED` on a standalone server. */
  async requireReplicaSet(what: string): Promise<void> {
    if (!(await this.#hasTransactions())) {
      throw new DatabaseError(
        'REPLICA_SET_REQUIRED',
        `${what} need a replica set or a sharded cluster, and this is a standalone server; a replica set of one member is enough (mongod --replSet, then rs.initiate())`,
      )
    }
  }

  async #hasTransactions(): Promise<boolean> {
    this.requireOpen()
    this.#supportsTransactions ??= await this.#askForReplicaSet()
    return this.#supportsTransactions
  }

  /** The errors of a transaction's operations are kept by it, so they are translated before they get there. */
  async #attempt<Result>(
    entity: EntityDescription,
    task: (session: ClientSession | undefined) => Promise<Result>,
    session: ClientSession | undefined,
  ): Promise<Result> {
    this.requireOpen()
    try {
      for (const guard of this.#guards) await guard()
      return await task(session)
    } catch (error) {
      const translated = overflowOf(error) ?? translateError(error, subjectOf(entity))
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
