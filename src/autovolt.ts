import { inspect } from 'node:util'
import type { ObjectId } from 'mongodb'
import type { Connection } from 'mongoose'
import { z } from 'zod'
import { DataAccessLog } from './activity/data-access-log.js'
import { checkOptions, requireEntity } from './core/check-options.js'
import { systemClock } from './core/clock.js'
import { openConnection } from './core/connection.js'
import { type ConnectionEvent, ConnectionEventSource, type ConnectionEvents } from './core/connection-events.js'
import { Database } from './core/database.js'
import type { Entity, Identified, StoredFields } from './core/entity.js'
import { DatabaseError } from './core/errors.js'
import { checkHealth, type Health, PoolMonitor } from './core/health.js'
import { KeyRing } from './core/key-ring.js'
import { silentLogger } from './core/logger.js'
import { memberCarrier } from './core/member-carrier.js'
import { Repository } from './core/repository/repository.js'
import { SecretFields } from './core/repository/secret-fields.js'
import { setUpNotice } from './core/self-check/set-up-check.js'
import { type SetupReport, setUpCollections } from './core/setup/set-up.js'
import { closeOnSignals } from './core/signals.js'
import { validateData } from './core/validate.js'
import {
  type CollectionKey,
  chosenEntities,
  type EntityExtensions,
  type LibraryEntities,
  openDomains,
  type Services,
} from './domains.js'
import { firmwareLimitsOf } from './firmware/firmware-options.js'
import type { AttachOptions, OpenOptions } from './handle-options.js'
import type { AccessTableRow } from './identity/access/access-rule.js'
import type { AccessChecks, BoundServices } from './identity/access/bound-services.js'
import { UserAccess } from './identity/access/user-access.js'
import { PasswordHasher } from './identity/passwords/password-hasher.js'
import { passwordOptionsOf } from './identity/passwords/password-options.js'
import { sessionOptionsOf } from './identity/sessions/session-options.js'
import { lockOutOptionsOf } from './identity/sign-in/lock-out.js'
import type { AnyUser } from './identity/user.js'
import { incidentLimitsOf } from './incidents/incident-options.js'
import { ledgerLogOf } from './ledger/log/log-options.js'
import { parseMigrationOptions } from './migrations/options.js'
import { notificationLimitsOf } from './notifications/notification-options.js'
import { type StartOptions, startWork } from './started-work.js'

const setupSchema = z.strictObject({ dryRun: z.boolean().default(false) })

/** A handle as one user may use it. */
export type BoundAutoVolt<Extended extends EntityExtensions = object> = BoundServices<Services<Extended>> & AccessChecks

/** Carries the services of the domains, whose names and types {@link Services} has. */
const ServiceCarrier = memberCarrier<new <Extended>(services: Services) => Services<Extended>>()

/**
 * The handle on one database. Every repository hangs on it, and the host that opened it closes it. Handles share nothing, so
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
  readonly #hasher: PasswordHasher
  readonly #access: UserAccess
  readonly #repositories = new Map<object, unknown>()
  readonly #start: (options: StartOptions) => (() => Promise<void>)[]
  #stopWork: (() => Promise<void>) | undefined
  #closing: Promise<void> | undefined

  private constructor(connection: Connection, options: AttachOptions<Extended>, ownsConnection: boolean) {
    const logger = options.logger ?? silentLogger
    const entities = chosenEntities(options)
    const hasher = new PasswordHasher(options.passwords)
    const database = new Database({
      connection,
      clock: options.clock ?? systemClock,
      logger,
      keyRing: options.keys === undefined ? undefined : new KeyRing(options.keys),
      ...(options.subjectKeys === undefined ? {} : { subjectKeys: options.subjectKeys }),
      hasher,
      logQueries: options.logQueries ?? false,
      leaseEntity: entities.leases,
      workRecordEntity: entities.workRecords,
    })
    // Rules are about what domains bring: users are bound once these are open.
    let access: UserAccess | undefined
    const services = openDomains(database, entities, options, () => access?.control)
    super(services)
    this.database = database
    this.#hasher = hasher
    this.#ownsConnection = ownsConnection
    this.#entities = entities
    this.#hostEntities = options.hostEntities ?? []
    const canSign = (options.ledgerLog?.signerKeys ?? []).length > 0
    this.#start = (chosen) => startWork(services, chosen, canSign)
    database.selfCheck.addForFirstWrite(() => setUpNotice(database, this.#allEntities()))
    const parts = {
      devices: database.of(entities.devices),
      users: entities.users as Entity<AnyUser>,
      auditLog: services.auditLog,
      dataAccessLog: options.dataAccessLog && new DataAccessLog(database, entities.dataAccesses, options.dataAccessLog),
      services: { ...services },
      hostEntities: this.#hostEntities,
      hostRepository: (entity: Entity) => this.repository(entity as Entity<StoredFields>),
    }
    access = new UserAccess(database, parts, options.access)
    this.#access = access
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
    checkOptions(options)
    if (options.keys !== undefined) new KeyRing(options.keys)
    ledgerLogOf(options.ledgerLog)
    passwordOptionsOf(options.passwords)
    lockOutOptionsOf(options.lockOut)
    sessionOptionsOf(options.sessions)
    notificationLimitsOf(options)
    firmwareLimitsOf(options)
    incidentLimitsOf(options)
    parseMigrationOptions(options.migrations)
    chosenEntities(options)
    const connection = await openConnection(options, options.logger ?? silentLogger)
    try {
      return new AutoVolt(connection, options, true)
    } catch (error) {
      // Rules of access are checked against what the handle has.
      await connection.destroy()
      throw error
    }
  }

  /**
   * Borrows a Mongoose connection of the host's, which must be open, and leaves it open at the end.
   * @throws DatabaseError `CONFIGURATION` if the connection is not open.
   */
  static attach<Extended extends EntityExtensions = object>(
    connection: Connection,
    options: AttachOptions<Extended> = {},
  ): AutoVolt<Extended> {
    checkOptions(options)
    if (connection?.readyState !== 1) {
      throw new DatabaseError(
        'CONFIGURATION',
        'The connection is not open; await connection.asPromise() before AutoVolt.attach()',
      )
    }
    return new AutoVolt(connection, options, false)
  }

  /**
   * Creates collections, validators and indexes as far as they are not there; `{ dryRun: true }` only reports what differs,
   * and what is in the way.
   * @throws SetupBlockedError if something is in the way: nothing was changed then.
   */
  async setup(options: { readonly dryRun?: boolean } = {}): Promise<SetupReport> {
    const { dryRun } = validateData(setupSchema, options, 'The options')
    return setUpCollections(this.database, this.#allEntities(), dryRun)
  }

  /**
   * Starts what a host usually wants kept: roll-ups, registers, and, with a signer key, checkpoints. Any number of processes may
   * do so: they share the work. {@link close} ends it.
   * @returns a function that stops it before that, and waits for what is under way.
   * @throws ValidationError; DatabaseError `CONFIGURATION` if it is started already, or for checkpoints without a signer key.
   */
  start(options: StartOptions = {}): () => Promise<void> {
    this.database.requireOpen()
    if (this.#stopWork !== undefined)
      throw new DatabaseError('CONFIGURATION', 'The work of this handle is started already; stop it first')
    const stops = this.#start(options)
    const stop = async () => {
      if (this.#stopWork === stop) this.#stopWork = undefined
      await Promise.all(stops.map((stopOne) => stopOne()))
    }
    this.#stopWork = stop
    return stop
  }

  /** Runs the work in a transaction that every repository call of this handle inside it takes part in. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.database.transactions.run(work)
  }

  /**
   * The repositories and services of this handle as a user may use them: what no rule allows is not found when it is read, and an
   * AccessDeniedError when it is written. Role, status and classrooms are those that the database has, and at most a second old;
   * of a user that is handed in, only the id is believed. Nothing is read until something is called: make one for each request.
   * @throws ValidationError for what is no id.
   * @example
   * const mine = volt.as(user)
   * const page = await mine.devices.page({}, { sort: { name: 1 } })
   */
  as(user: ObjectId | string | Identified): BoundAutoVolt<Extended> {
    return this.#access.bind(user) as BoundAutoVolt<Extended>
  }

  /** What the rules of access allow: a row for each role, entity and action. `accessTableText` makes a table of them. */
  accessTable(): AccessTableRow[] {
    return this.#access.table()
  }

  /** The repository of an entity of the host's own. */
  repository<S extends StoredFields, I extends object>(entity: Entity<S, I>): Repository<S, I> {
    requireEntity(entity)
    const known = this.#repositories.get(entity) as Repository<S, I> | undefined
    if (known !== undefined) return known
    const repository = new Repository(this.database, entity)
    this.#repositories.set(entity, repository)
    return repository
  }

  /** The entity behind one of our collections, with the host's extensions and its collection's name. */
  entityOf(key: CollectionKey): Entity {
    if (typeof key !== 'string' || !Object.hasOwn(this.#entities, key))
      throw new DatabaseError('CONFIGURATION', 'There is no such collection of ours')
    return this.#entities[key]
  }

  /** How the database is, what this handle does every so often, and what is not as it should be although nothing fails. Never throws. */
  health(): Promise<Health> {
    return checkHealth(this.database, this.#pool)
  }

  /**
   * Listens to the connection. A listener to `connected` is called for the connection that is open already, too, once the
   * caller has gone on.
   * @returns a function that stops listening.
   */
  on<Event extends ConnectionEvent>(event: Event, listener: ConnectionEvents[Event]): () => void {
    return this.#events.on(event, listener)
  }

  /** Seals every secret anew that was not sealed with the active key; after that the other keys can go. @returns how many were. */
  async resealSecrets(): Promise<number> {
    let resealed = 0
    for (const entity of this.#allEntities()) {
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

  #allEntities(): Entity[] {
    return [...Object.values(this.#entities), ...this.#hostEntities]
  }

  async #close(): Promise<void> {
    this.#ignoreSignals()
    await this.database.close()
    await this.#hasher.close()
    if (this.#ownsConnection) await this.database.connection.destroy()
    this.#pool.stop()
    this.#events.stop()
  }
}
