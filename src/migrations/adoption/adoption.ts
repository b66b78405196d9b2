import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { withHeldLease } from '../../core/held-lease.js'
import { setUpCollections } from '../../core/setup/set-up.js'
import type { EntitiesByKey } from '../run/context.js'
import { MigrationError } from '../run/migration-error.js'
import { AdoptionRun } from './adoption-run.js'
import { AdoptionContext } from './context.js'
import { type AdoptionStores, FindingStore } from './findings.js'
import { OriginFollower } from './follow-adoption.js'
import { type AdoptionMapping, merged } from './mapping/mapping.js'
import { standardMappings } from './mapping/standard-mappings.js'
import { type AdoptionOptions, type FollowOptions, type ParsedAdoption, parseAdoption } from './options.js'
import { Origin, OriginDatabase, type OriginSource } from './origin.js'
import { type KnownHere, readRegistry } from './read-registry.js'
import { removeAdoption } from './remove-adoption.js'
import { type AdoptionReport, Tally } from './report.js'
import { SqliteOrigin } from './sqlite/sqlite-origin.js'
import type { AdoptionNeeds } from './stores.js'

export interface AdoptionParts {
  readonly needs: AdoptionNeeds
  readonly stores: AdoptionStores
  /** All entities of the handle, which are set up before anything is adopted. */
  readonly entities: EntitiesByKey
  /** ms; how long the lock lasts that nobody renews any more. */
  readonly lockDurationMs: number
}

/** The adoption of the database of an origin system into this one. */
export class Adoption {
  readonly #database: Database
  readonly #parts: AdoptionParts

  constructor(database: Database, parts: AdoptionParts) {
    this.#database = database
    this.#parts = parts
  }

  /**
   * Says what {@link adopt} would do: what fits, what does not and why. Nothing is written.
   * @throws ValidationError; DatabaseError `CONFIGURATION` for this database itself where our collections have the names of the
   * origin's, `NOT_FOUND` for one of a system that is not known.
   */
  async assess(options: AdoptionOptions): Promise<AdoptionReport> {
    return this.#run(parseAdoption(options), false)
  }

  /**
   * Adopts the database: writes what is not here yet, and what has changed there and not here. So it may be broken off and run
   * again, also later for what has come since. The origin is read only.
   * @throws as {@link assess}; SetupBlockedError if this database is not ready, MigrationError `MIGRATION_LOCKED` if another
   * process is adopting; DatabaseError `KEY_RING` if devices have secrets and the handle has no keys.
   */
  async adopt(options: AdoptionOptions): Promise<AdoptionReport> {
    const parsed = parseAdoption(options)
    await this.#prepare(parsed)
    return this.#locked(parsed, (locked) => this.#run(locked, true))
  }

  /**
   * Adopts the database, and goes on with what changes in it, about a second later, until the signal is aborted: so both are in
   * step until the cut-over. A device of which something changes is read anew as a whole.
   * @returns the report of the adoption that it began with.
   * @throws as {@link adopt}; DatabaseError `REPLICA_SET_REQUIRED` on a standalone server.
   */
  async follow(options: FollowOptions): Promise<AdoptionReport> {
    const { signal, onStep = () => undefined, ...rest } = { ...options }
    const parsed = parseAdoption(rest as AdoptionOptions)
    if (parsed.sqlite !== undefined)
      throw new DatabaseError('CONFIGURATION', 'A file of SQLite tells nobody of its changes. Next: adopt it again')
    await this.#prepare(parsed)
    return this.#locked(parsed, async (locked) => {
      const until = AbortSignal.any([signal, locked.signal])
      for (let report: AdoptionReport | undefined; ; ) {
        const follower = await OriginFollower.open(this.#database, await this.#originOf(locked))
        try {
          const begun = await this.#run(locked, true)
          report ??= begun
          onStep({ changes: 0, devices: begun.adopted.devices })
          await this.#keepInStep(follower, locked, until, onStep)
          locked.signal.throwIfAborted()
          return report
        } catch (error) {
          if (!(error instanceof DatabaseError) || error.code !== 'HISTORY_LOST') throw error
        } finally {
          await follower.close()
        }
      }
    })
  }

  async #keepInStep(
    follower: OriginFollower,
    options: ParsedAdoption,
    signal: AbortSignal,
    onStep: NonNullable<FollowOptions['onStep']>,
  ): Promise<void> {
    for (let found = await follower.changes(signal); found !== undefined; found = await follower.changes(signal)) {
      const origin = await this.#originOf(options)
      const devices = await new AdoptionRun(await this.#open(origin, options, true)).runFor(found)
      onStep({ changes: found.count, devices })
    }
  }

  /**
   * Removes what the adoption of a database has written: drops our collections, if nothing but the adoption has written to
   * them. The origin is not touched. The handle has to be opened anew afterwards.
   * @returns the names of the collections that were dropped.
   * @throws MigrationError `NOT_EMPTY` if anything else is in them: nothing was removed then; `MIGRATION_LOCKED`.
   */
  async remove(from: string): Promise<string[]> {
    const options = parseAdoption({ from, timeZone: 'UTC' })
    return this.#locked(options, () => removeAdoption(this.#database, this.#parts.entities, options.from))
  }

  /** Works while no other process adopts. @throws MigrationError `MIGRATION_LOCKED`. */
  async #locked<Result>(
    options: ParsedAdoption,
    work: (options: ParsedAdoption & { readonly signal: AbortSignal }) => Promise<Result>,
  ): Promise<Result> {
    const durationMs = this.#parts.lockDurationMs
    // The lock of a process that has died is waited for, that of one that lives is not.
    const lease = { name: 'adoption', durationMs, waitMs: 2 * durationMs }
    const held = await withHeldLease(this.#database, lease, (_, lost) => {
      const signal = options.signal === undefined ? lost : AbortSignal.any([lost, options.signal])
      return work({ ...options, signal })
    })
    if (held !== null) return held.result
    throw new MigrationError('MIGRATION_LOCKED', 'Another process is adopting a database. Next: wait for its end')
  }

  /** Looks whether there is an origin, and has all collections be there. */
  async #prepare(options: ParsedAdoption): Promise<void> {
    const origin = await this.#originOf(options)
    origin.close()
    await setUpCollections(this.#database, Object.values(this.#parts.entities), false)
  }

  async #run(options: ParsedAdoption, isWriting: boolean): Promise<AdoptionReport> {
    const origin = await this.#originOf(options)
    try {
      return await new AdoptionRun(await this.#open(origin, options, isWriting)).run()
    } finally {
      origin.close()
    }
  }

  /** Reads what fits into memory, and what is here already. */
  async #open(origin: Origin, options: ParsedAdoption, isWriting: boolean): Promise<AdoptionContext> {
    const { needs, stores } = this.#parts
    const database = this.#database
    const registry = await readRegistry(origin, options, await this.#known(origin.name))
    const store = isWriting ? new FindingStore(database, stores, origin, registry.secrets) : undefined
    return new AdoptionContext({ database, needs, origin, registry, options, tally: new Tally(), store })
  }

  /** @throws as {@link assess}. */
  async #originOf(options: ParsedAdoption): Promise<Origin> {
    const source = await this.#sourceOf(options)
    try {
      const { mapping: edited } = options
      const system = edited?.system ?? (await source.system())
      if (system === undefined) {
        throw new DatabaseError(
          'NOT_FOUND',
          `${options.sqlite ?? options.from} looks like no database of a system that is known. Next: name the database that the old system writes to, or give a mapping for it`,
        )
      }
      const standard = standardMappings[system]
      return new Origin(source, edited === undefined ? standard : merged(standard, edited))
    } catch (error) {
      source.close()
      throw error
    }
  }

  async #sourceOf({ from, sqlite, mapping }: ParsedAdoption): Promise<OriginSource> {
    const database = this.#database
    if (sqlite !== undefined) {
      database.requireOpen()
      return SqliteOrigin.open(sqlite, from)
    }
    const isHere = from === database.native.databaseName
    const names = Object.values(this.#parts.entities).map(({ collection }) => collection)
    if (isHere) refuseShared(from, names, mapping === undefined ? Object.values(standardMappings) : [mapping])
    return new OriginDatabase(database, from, new Set(isHere ? names : []))
  }

  async #known(originDatabase: string): Promise<KnownHere> {
    const { needs, stores } = this.#parts
    const rooms = await this.#database
      .of(needs.classrooms.entity)
      .find({ deletedAt: null }, { projection: { name: 1 } })
    const devices = await this.#database
      .of(needs.devices.entity)
      .find({}, { projection: { 'switches._id': 1, 'switches.name': 1, 'switches.gpio': 1 } })
    const extras = await this.#database
      .of(stores.extras)
      .find({ originDatabase, aliases: { $exists: true } }, { projection: { adoptedId: 1, aliases: 1 } })
    const aliases = new Map(extras.map(({ adoptedId, aliases: of = [] }) => [String(adoptedId), of]))
    const nowMs = this.#database.clock.now().getTime()
    return {
      nowMs,
      rooms,
      aliases,
      switches: new Map(devices.map(({ _id, switches = [] }) => [_id.toHexString(), switches])),
    }
  }
}

/** In one database each collection is either the origin's or ours. */
function refuseShared(from: string, ours: readonly string[], mappings: readonly AdoptionMapping[]): void {
  const theirs = new Set(
    mappings.flatMap(({ collections }) => Object.values(collections).flatMap((one) => one.from ?? [])),
  )
  const shared = ours.filter((name) => theirs.has(name))
  if (shared.length === 0) return
  throw new DatabaseError(
    'CONFIGURATION',
    `${from} is this database itself, and ${shared.join(', ')} would be the origin's and ours. Next: open the handle with \`collections: collectionsBesideOrigin\`, or say --beside; or adopt it into another database, which can be on the same server`,
  )
}
