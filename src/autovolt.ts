import { inspect } from 'node:util'
import type { Connection } from 'mongoose'
import { type Clock, systemClock } from './core/clock.js'
import { type ConnectionOptions, openConnection } from './core/connection.js'
import { type ConnectionEvent, ConnectionEventSource, type ConnectionEvents } from './core/connection-events.js'
import { Database } from './core/database.js'
import type { Entity, StoredFields } from './core/entity.js'
import { DatabaseError } from './core/errors.js'
import { checkHealth, type Health, PoolMonitor } from './core/health.js'
import { KeyRing, type KeyRingOptions } from './core/key-ring.js'
import { type Logger, silentLogger } from './core/logger.js'
import { Repository } from './core/repository/repository.js'
import { SecretFields } from './core/repository/secret-fields.js'
import { requireParts } from './core/require-parts.js'
import { type SetupReport, setUpCollections } from './core/setup.js'
import { closeOnSignals } from './core/signals.js'
import {
  type CollectionKey,
  chosenEntities,
  type EntityExtensions,
  type LibraryEntities,
  openDomains,
  type ServiceOptions,
  type Services,
} from './domains.js'
import { ledgerLogOf } from './ledger/log/log-options.js'

export interface AttachOptions<Extended extends EntityExtensions = object> extends ServiceOptions {
  /** Entities with fields of the host's own in place of ours: `{ devices: deviceEntity.extend({ fields: { ... } }) }`. */
  readonly entities?: Extended
  /** Other names for our collections. */
  readonly collections?: Partial<Record<CollectionKey, string>>
  /** Entities of the host's own, which `setup()` sets up too; {@link AutoVolt.repository} gives their repositories. */
  readonly hostEntities?: readonly Entity[]
  /** Keys for the fields that are encrypted at rest; needed as soon as a secret is written or read. */
  readonly keys?: KeyRingOptions
  /** Where the library says what it does, in pino's shape. @default nowhere */
  readonly logger?: Logger
  /** Logs every operation of a repository at debug level, without values. @default false */
  readonly logQueries?: boolean
  /** @default the machine's clock */
  readonly clock?: Clock
  /** Closes the handle on SIGINT and SIGTERM, then lets the signal take its course. @default false */
  readonly closeOnSignals?: boolean
}

export type OpenOptions<Extended extends EntityExtensions = object> = ConnectionOptions & AttachOptions<Extended>

/** Carries the services of the domains, whose names and types {@link Services} has. */
const ServiceCarrier = class {
  constructor(services: object) {
    Object.assign(this, services)
  }
  // What a class has that assigns its members cannot be declared but here.
} as unknown as new <Extended>(
  services: Services,
) => Services<Extended>

/**
 * The handle on one database. Every repository hangs on it, and whoever opened it closes it. Handles share nothing, so
 * several live side by side in one process.
 *
 * @example
 * await using volt = await AutoVolt.open({ uri: 'mongodb://localhost:27017/?replicaSet=rs0', dbName: 'school' })
 * await volt.setup()
 * const room = await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
 */
export class AutoVolt<Extended extends EntityExtensions = object> extends ServiceCarrier<Extended> {
  /** What repositories of the host's own, and adapters, are built on. */
  readonly database: Database
  readonly #entities: LibraryEntities
  readonly #hostEntities: readonly Entity[]
  readonly #ownsConnection: boolean
  readonly #pool: PoolMonitor
  readonly #events: ConnectionEventSource
  readonly #ignoreSignals: () => void
  readonly #repositories = new Map<Entity, unknown>()
  #closing: Promise<void> | undefined

  private constructor(connection: Connection, options: AttachOptions<Extended>, ownsConnection: boolean) {
    const logger = options.logger ?? silentLogger
    const entities = chosenEntities(options)
    const database = new Database({
      connection,
      clock: options.clock ?? systemClock,
      logger,
      keyRing: options.keys === undefined ? undefined : new KeyRing(options.keys),
      logQueries: options.logQueries ?? false,
      leaseEntity: entities.leases,
    })
    super(openDomains(database, entities, options))
    this.database = database
    this.#ownsConnection = ownsConnection
    this.#entities = entities
    this.#hostEntities = options.hostEntities ?? []
    this.#pool = new PoolMonitor(this.database.client)
    this.#events = new ConnectionEventSource(connection, logger)
    this.#ignoreSignals = options.closeOnSignals ? closeOnSignals(() => this.close()) : () => undefined
  }

  /**
   * Opens a connection of its own. Creates nothing in the database; {@link setup} does.
   * @throws DatabaseConnectionError if the database cannot be reached within the limit, DatabaseError `NOT_AUTHORIZED` if
   * the login is refused, `CONFIGURATION` for options that cannot be used.
   */
  static async open<Extended extends EntityExtensions = object>(
    options: OpenOptions<Extended>,
  ): Promise<AutoVolt<Extended>> {
    requireParts(options)
    if (options.keys !== undefined) new KeyRing(options.keys)
    ledgerLogOf(options.ledgerLog)
    chosenEntities(options)
    const connection = await openConnection(options, options.logger ?? silentLogger)
    return new AutoVolt(connection, options, true)
  }

  /**
   * Borrows a Mongoose connection of the host's, which must be open, and leaves it open at the end.
   * @throws DatabaseError `CONFIGURATION` if the connection is not open.
   */
  static attach<Extended extends EntityExtensions = object>(
    connection: Connection,
    options: AttachOptions<Extended> = {},
  ): AutoVolt<Extended> {
    requireParts(options)
    if (connection?.readyState !== 1) {
      throw new DatabaseError(
        'CONFIGURATION',
        'The connection is not open; await connection.asPromise() before AutoVolt.attach()',
      )
    }
    return new AutoVolt(connection, options, false)
  }

  /** Creates collections, validators and indexes as far as they are not there; `{ dryRun: true }` only reports what differs. */
  setup(options: { readonly dryRun?: boolean } = {}): Promise<SetupReport> {
    const entities = [...Object.values(this.#entities), ...this.#hostEntities]
    return setUpCollections(this.database, entities, options.dryRun ?? false)
  }

  /** Runs the work in a transaction that every repository call of this handle inside it takes part in. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.database.transactions.run(work)
  }

  /** The repository of an entity of the host's own. */
  repository<S extends StoredFields, I extends object>(entity: Entity<S, I>): Repository<S, I> {
    const known = this.#repositories.get(entity as unknown as Entity) as Repository<S, I> | undefined
    if (known !== undefined) return known
    const repository = new Repository(this.database, entity)
    this.#repositories.set(entity as unknown as Entity, repository)
    return repository
  }

  /** The entity behind one of our collections, with the host's extensions and its collection's name. */
  entityOf(key: CollectionKey): Entity {
    return this.#entities[key]
  }

  health(): Promise<Health> {
    return checkHealth(this.database, this.#pool)
  }

  /** Listens to the connection. @returns a function that stops listening. */
  on<Event extends ConnectionEvent>(event: Event, listener: ConnectionEvents[Event]): () => void {
    return this.#events.on(event, listener)
  }

  /** Seals every secret anew that was not sealed with the active key; after that the other keys can go. @returns how many were. */
  async resealSecrets(): Promise<number> {
    let resealed = 0
    for (const entity of [...Object.values(this.#entities), ...this.#hostEntities]) {
      resealed += await new SecretFields(this.database, entity).reseal()
    }
    return resealed
  }

  /** Ends the handle; a connection of its own is closed, a borrowed one is left. Can be called more than once. */
  close(): Promise<void> {
    if (this.database.transactions.session !== undefined) {
      const message = 'The handle cannot be closed inside a transaction of its own; close it afterwards'
      return Promise.reject(new DatabaseError('TRANSACTION', message))
    }
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Without the connection, which knows the credentials. */
  toJSON(): Record<string, unknown> {
    return { database: this.database.toJSON() }
  }

  [inspect.custom](): string {
    return `AutoVolt ${this.database.connection.name}`
  }

  async #close(): Promise<void> {
    this.#ignoreSignals()
    await this.database.close()
    if (this.#ownsConnection) await this.database.connection.destroy()
    this.#pool.stop()
    this.#events.stop()
  }
}
