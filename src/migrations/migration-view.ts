import type { Database } from '../core/database.js'
import { assess, type MigrationStatus } from './assessment/assess.js'
import { adoptedRecord } from './commands/adopt-log.js'
import { type EarlierMigration, earlierMigrations } from './log/earlier-logs.js'
import type { LogEntities, MigrationLog } from './log/migration-log.js'
import type { MigrationRecord } from './log/migration-record.js'
import type { Migration } from './migration.js'
import { lockOf, type MigrationLock } from './run/lock.js'
import type { LoadedMigration } from './source/loaded-migration.js'
import { loadMigrations, type MigrationSources } from './source/migration-list.js'

/** All migrations of the program and of the database at a moment. */
export interface MigrationView {
  readonly migrations: readonly LoadedMigration[]
  readonly status: readonly MigrationStatus[]
  /** What earlier tools have run and our log does not know yet. */
  readonly earlier: readonly EarlierMigration[]
  readonly lock: MigrationLock | null
}

export interface ViewParts {
  readonly database: Database
  readonly log: MigrationLog
  readonly entities: LogEntities
  /** The package's own migrations. */
  readonly shipped: readonly Migration[]
  readonly options: MigrationSources & { readonly late: 'refuse' | 'run' }
}

/** Reads how migrations stand. It writes nothing. */
export class MigrationReader {
  readonly #parts: ViewParts
  #loaded: Promise<readonly LoadedMigration[]> | undefined

  constructor(parts: ViewParts) {
    this.#parts = parts
  }

  /** The migrations of the program: read once, for modules are. */
  load(): Promise<readonly LoadedMigration[]> {
    const { shipped, options } = this.#parts
    this.#loaded ??= loadMigrations(shipped, options)
    return this.#loaded
  }

  /** @param isOwnLock Whether this process holds the lock. */
  async read(isOwnLock: boolean): Promise<MigrationView> {
    const { database, log, entities, options } = this.#parts
    database.requireOpen()
    const migrations = await this.load()
    const before = isOwnLock ? null : await lockOf(database)
    const [stored, found, adopted] = await Promise.all([
      log.records(),
      earlierMigrations(database, entities.migrations.collection),
      log.adoptedNames(),
    ])
    // What was running when the records were read may have been locked before, or only after.
    const lock = before !== null || isOwnLock ? before : await lockOf(database)
    const earlier = found.filter(({ name }) => !stored.has(name) && !adopted.has(name))
    const records = withEarlier(stored, migrations, earlier)
    const status = assess({ migrations, records, isLocked: lock?.isHeld ?? false, late: options.late })
    return { migrations, status, earlier, lock }
  }
}

/** What earlier tools have run is as good as written down. */
function withEarlier(
  records: ReadonlyMap<string, MigrationRecord>,
  migrations: readonly LoadedMigration[],
  earlier: readonly EarlierMigration[],
): ReadonlyMap<string, MigrationRecord> {
  const known = new Map(migrations.map((migration) => [migration.id, migration]))
  const adopted = earlier.map((one) => [one.name, adoptedRecord(one, known.get(one.name))] as const)
  return new Map([...records, ...adopted])
}
