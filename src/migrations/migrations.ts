import type { Database } from '../core/database.js'
import type { EntityDescription } from '../core/entity.js'
import { bounded } from '../core/repository/selection.js'
import type { Adoption } from './adoption/adoption.js'
import type { AdoptionOptions, FollowOptions } from './adoption/options.js'
import type { AdoptionReport } from './adoption/report.js'
import type { MigrationStatus } from './assessment/assess.js'
import { blockedError } from './assessment/blocked-error.js'
import type { MigrationProblem } from './assessment/problem.js'
import { baseline } from './commands/baseline.js'
import { migratePending, pendingOf } from './commands/migrate.js'
import { type PlannedMigration, planOf } from './commands/plan.js'
import { type RepairAs, repair } from './commands/repair.js'
import { requireKnown } from './commands/require-known.js'
import { reversibleOf, rollBack } from './commands/roll-back.js'
import { loadSeeds, requireEmpty, runSeeds } from './commands/seed.js'
import { createMigrationFile, type MigrationLanguage } from './create-file.js'
import { LockedRuns } from './locked-runs.js'
import { type LogEntities, MigrationLog } from './log/migration-log.js'
import type { MigrationEvent } from './log/migration-record.js'
import type { Migration, Seed } from './migration.js'
import { idText } from './migration-id.js'
import { MigrationReader } from './migration-view.js'
import {
  type LockedOptions,
  type MigrateOptions,
  type MigrationOptions,
  parseFile,
  parseId,
  parseLocked,
  parseMigrate,
  parseMigrationOptions,
  parseRepair,
  parseRollback,
  parseSeed,
  type RollbackOptions,
  type SeedOptions,
} from './options.js'
import type { EntitiesByKey } from './run/context.js'
import type { MigrationLock } from './run/lock.js'
import type { LegacyParts } from './shipped/legacy/legacy-backfill.js'
import { type LegacyTotal, legacyTotals } from './shipped/legacy/legacy-totals.js'

export interface MigrationsParts {
  readonly adoption: Adoption
  readonly ownEntities: LogEntities & { readonly migrationChanges: EntityDescription }
  readonly leaseEntity: EntityDescription
  /** All entities of the handle, by what it calls them. */
  readonly entities: EntitiesByKey
  /** The package's own migrations, and its sample data. */
  readonly shipped: readonly Migration[]
  readonly legacy: LegacyParts
  readonly sampleData: Seed
  readonly options: MigrationOptions | undefined
}

export interface MigrateReport {
  /** The ids of what was run, in order. */
  readonly applied: readonly string[]
  /** The ids of what earlier tools had run, which was written down. */
  readonly adopted: readonly string[]
}

export interface MigrationsStatus {
  readonly migrations: readonly MigrationStatus[]
  /** Who runs migrations now; null if nobody does. */
  readonly lock: MigrationLock | null
}

const nothingDone: MigrateReport = { applied: [], adopted: [] }

/** Evolution of the database: migrations run once, in order, by one process at a time. */
export class Migrations {
  readonly #database: Database
  readonly #parts: MigrationsParts
  readonly #options: ReturnType<typeof parseMigrationOptions>
  readonly #log: MigrationLog
  readonly #reader: MigrationReader
  readonly #runs: LockedRuns

  /** @throws ValidationError for options that are none. */
  constructor(database: Database, parts: MigrationsParts) {
    const { ownEntities, leaseEntity, entities, shipped } = parts
    this.#database = database
    this.#parts = parts
    this.#options = parseMigrationOptions(parts.options)
    const { actor, lockDurationMs } = this.#options
    this.#log = new MigrationLog(database, ownEntities)
    const log = this.#log
    this.#reader = new MigrationReader({ database, log, entities: ownEntities, shipped, options: this.#options })
    this.#runs = new LockedRuns({
      database,
      log,
      reader: this.#reader,
      ownEntities: [ownEntities.migrations, ownEntities.migrationHistory, ownEntities.migrationChanges, leaseEntity],
      entities,
      actor,
      lockDurationMs,
    })
  }

  /**
   * Runs what is not applied yet, and goes on with what was broken off.
   * @throws MigrationError `MIGRATION_DRIFT` or `MIGRATION_BLOCKED` if somebody has to decide before, and then nothing is run;
   * `MIGRATION_FAILED` if one fails: those before it stay applied; `MIGRATION_STOPPED`, `MIGRATION_LOCKED`, `DATABASE_NEWER`.
   */
  async migrate(options: MigrateOptions = {}): Promise<MigrateReport> {
    const parsed = parseMigrate(options)
    return this.#runs.run(parsed, async ({ parts, migrations, status, adopted }) => ({
      applied: await migratePending(parts, migrations, status, parsed.to),
      adopted,
    }))
  }

  /**
   * For the start of a service: as {@link migrate}, and cheap where nothing is to be done. Of any number of processes that start
   * at once one migrates, and the others wait for it.
   * @throws MigrationError as {@link migrate}; `DATABASE_NEWER` if a newer version of the program has migrated the database.
   */
  async ensure(options: LockedOptions = {}): Promise<MigrateReport> {
    parseLocked(options)
    const { status, earlier } = await this.#reader.read(false)
    const isDone = earlier.length === 0 && status.every(({ state, problem }) => state === 'applied' && !problem)
    if (isDone) return nothingDone
    // The others may be about to be solved by the process that has the lock; this one is not.
    const newer = status.flatMap(({ problem }) => (problem?.kind === 'newer' ? problem : []))
    if (newer.length > 0) throw blockedError(newer)
    return this.migrate(options)
  }

  /**
   * Rolls back the last migration, or several, the last one first.
   * @returns the ids of what was rolled back.
   * @throws MigrationError `IRREVERSIBLE` if one has no `down`, and then nothing is rolled back; `MIGRATION_FAILED` and others as
   * {@link migrate}.
   */
  async rollback(options: RollbackOptions = {}): Promise<string[]> {
    const parsed = parseRollback(options)
    return this.#runs.run(parsed, ({ parts, migrations, status }) =>
      rollBack(parts, migrations, status, targetOf(parsed)),
    )
  }

  /** What {@link rollback} would roll back, in order. Nothing is written. */
  async planRollback(options: RollbackOptions = {}): Promise<string[]> {
    const parsed = parseRollback(options)
    const { migrations, status } = await this.#reader.read(false)
    return reversibleOf(migrations, status, targetOf(parsed)).map(({ id }) => id)
  }

  /** How all migrations stand. Nothing is written. */
  async status(): Promise<MigrationsStatus> {
    const { status, lock } = await this.#reader.read(false)
    return { migrations: status, lock }
  }

  /** What {@link migrate} would do, with counts of documents and the indexes that would be built. Nothing is written. */
  async plan(options: Pick<MigrateOptions, 'to'> = {}): Promise<PlannedMigration[]> {
    const { to } = parseMigrate(options)
    const { migrations, status } = await this.#reader.read(false)
    return planOf(this.#database, this.#parts.entities, pendingOf(migrations, status, to))
  }

  /** What is wrong: edited, missing, late, failed and interrupted migrations. Nothing is written. */
  async validate(): Promise<MigrationProblem[]> {
    const { status } = await this.#reader.read(false)
    return status.flatMap(({ problem }) => problem ?? [])
  }

  /**
   * Writes down how a migration stands, after somebody has looked. It changes the log alone.
   * @throws DatabaseError `NOT_FOUND` if it has no record, `CONFIGURATION` if nothing of it has failed.
   */
  async repair(id: string | number, as: RepairAs, options: LockedOptions = {}): Promise<void> {
    parseRepair({ id, as })
    return this.#runs.run(parseMigrate(options), ({ parts, migrations }) => {
      const name = typeof id === 'number' ? idText(id) : id
      return repair(
        parts,
        migrations.find((migration) => migration.id === name),
        name,
        as,
      )
    })
  }

  /**
   * Writes down as applied, without running them, what has no record yet: for a database that was brought to that state in
   * another way.
   * @param to The last one.
   * @returns the ids.
   */
  async baseline(to: string | number, options: LockedOptions = {}): Promise<string[]> {
    parseId(to)
    return this.#runs.run(parseMigrate(options), ({ parts, migrations, status }) => {
      const recorded = new Set(status.filter(({ state }) => state !== 'pending').map(({ id }) => id))
      return baseline(parts, migrations, recorded, requireKnown(migrations, idText(to)).id)
    })
  }

  /**
   * Takes the lock from a holder that has died without giving it up, and ends its transactions.
   * @returns whether there was one.
   * @throws MigrationError `MIGRATION_LOCKED` if the holder lives.
   */
  async unlock(): Promise<boolean> {
    const { lock } = await this.#reader.read(false)
    if (lock === null) return false
    return this.#runs.run(parseMigrate({ waitMs: 0 }), async ({ parts: { log, fence, run } }) => {
      const event = log.event({ name: 'lock', action: 'unlock', outcome: 'done' }, run, `of ${lock.holder}`)
      await fence.persist(() => log.add(event))
      return true
    })
  }

  /**
   * Writes a file for a new migration.
   * @returns its path.
   * @throws DatabaseError `CONFIGURATION` if it cannot be written.
   */
  async create(folder: string, name: string, language: MigrationLanguage = 'ts'): Promise<string> {
    const file = parseFile({ folder, name, language })
    return createMigrationFile(this.#database.clock, file.folder, file.name, file.language)
  }

  /** What was done with migrations, the newest first, at most 1,000. */
  async history(limit = 100): Promise<MigrationEvent[]> {
    return this.#log.history(bounded('limit', limit, 100, 1_000))
  }

  /**
   * Says what {@link adopt} would do: what fits, what does not and why, and how long it will take. Nothing is written.
   * @throws ValidationError; DatabaseError `CONFIGURATION` for this database itself where our collections have the names of the
   * origin's, `NOT_FOUND` for one of a system that is not known.
   */
  async assessAdoption(options: AdoptionOptions): Promise<AdoptionReport> {
    return this.#parts.adoption.assess(options)
  }

  /**
   * Adopts the database of one of the origin systems: writes what is not here yet, and what has changed there and not here. So it
   * may be broken off and run again, also later for what has come since. The origin is read only.
   * @throws as {@link assessAdoption}; SetupBlockedError if this database is not ready, MigrationError `MIGRATION_LOCKED` if
   * another process is adopting; DatabaseError `KEY_RING` if devices have secrets and the handle has no keys.
   */
  async adopt(options: AdoptionOptions): Promise<AdoptionReport> {
    return this.#parts.adoption.adopt(options)
  }

  /**
   * What switches have used on each civil day of their rooms: by the records of `power_consumption` that are in the ledger, and
   * by the ledger. Device by device. Nothing is written.
   */
  async *compareLegacyConsumption(): AsyncGenerator<LegacyTotal, void, undefined> {
    this.#database.requireOpen()
    for await (const { totals } of legacyTotals(this.#parts.legacy)) yield* totals
  }

  /**
   * Adopts the database, and goes on with what changes in it, about a second later, until the signal is aborted: so both are in
   * step until the cut-over. A device of which something changes is read anew as a whole.
   * @returns the report of the adoption that it began with.
   * @throws as {@link adopt}; DatabaseError `REPLICA_SET_REQUIRED` on a standalone server.
   */
  followAdoption(options: FollowOptions): Promise<AdoptionReport> {
    return this.#parts.adoption.follow(options)
  }

  /**
   * Removes what the adoption of a database has written: drops our collections, if nothing but the adoption has written to
   * them. The origin is not touched. The handle has to be opened anew afterwards.
   * @param from The database that was adopted.
   * @returns the names of the collections that were dropped.
   * @throws MigrationError `NOT_EMPTY` if anything else is in them: nothing was removed then; `MIGRATION_LOCKED`.
   */
  removeAdoption(from: string): Promise<string[]> {
    return this.#parts.adoption.remove(from)
  }

  /**
   * Stores the sample data of the package and the host's. Doing so again changes nothing.
   * @returns the names of the seeds.
   * @throws MigrationError `NOT_EMPTY` if the database has documents, unless asked to add to them.
   */
  async seed(options: SeedOptions = {}): Promise<string[]> {
    const parsed = parseSeed(options)
    const seeds = [this.#parts.sampleData, ...(await loadSeeds(this.#options.seeds))]
    return this.#runs.run(parsed, async ({ parts }) => {
      if (!parsed.intoExisting) await requireEmpty(this.#database, this.#parts.entities)
      return runSeeds(parts, seeds)
    })
  }
}

function targetOf({ steps = 1, to }: ReturnType<typeof parseRollback>) {
  return to === undefined ? { steps } : { to }
}
