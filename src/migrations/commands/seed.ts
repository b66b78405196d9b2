import type { Database } from '../../core/database.js'
import type { EntityDescription } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import type { Seed } from '../migration.js'
import { StepContext } from '../run/context.js'
import { plainEntity } from '../run/guarded-db.js'
import { MigrationError } from '../run/migration-error.js'
import type { RunParts } from '../run/run-parts.js'
import { loadFolder } from '../source/load-folder.js'

/** Logs of earlier tools. */
const ofEarlierTools: ReadonlySet<string> = new Set(['knex_migrations', 'knex_migrations_lock'])

/** Settings and logs, which a database has that nobody uses yet. */
const ofEveryDatabase = new Set([
  'migrations',
  'migrationHistory',
  'migrationChanges',
  'leases',
  'powerSettings',
  'costVersions',
  'tariffs',
  'recostings',
  'auditLogs',
])

/** The seeds of a host: objects, or a folder with a file for each, which exports `run`. */
export async function loadSeeds(given: string | URL | readonly Seed[] | undefined): Promise<readonly Seed[]> {
  if (given === undefined) return []
  if (typeof given !== 'string' && !(given instanceof URL)) return given
  const modules = await loadFolder(given, ['name', 'run'])
  return modules.map(({ name, file, exported }) => {
    const seed = { name, ...exported }
    if (!isSeed(seed)) throw new DatabaseError('CONFIGURATION', `${file} is no seed: export a function \`run\``)
    return seed
  })
}

/** Runs each seed in a transaction. @returns their names. */
export async function runSeeds(parts: RunParts, seeds: readonly Seed[]): Promise<string[]> {
  const { database, fence, entities, signal, log, run } = parts
  for (const { name, run: seed } of seeds) {
    signal.throwIfAborted()
    const context = new StepContext({ id: name, database, fence, entities, signal, progress: () => undefined })
    const event = log.event({ name, action: 'seed', outcome: 'done' }, run)
    await fence.persist(async () => {
      await seed(context.given)
      await log.add(event)
    })
  }
  return seeds.map(({ name }) => name)
}

/** @throws MigrationError `NOT_EMPTY` if one of the collections has documents, be it ours or another's. */
export async function requireEmpty(
  database: Database,
  entities: Readonly<Record<string, EntityDescription>>,
): Promise<void> {
  const ours = Object.entries(entities).flatMap(([key, { collection, timeSeries }]) =>
    ofEveryDatabase.has(key) ? [] : { collection, isTimeSeries: timeSeries !== undefined },
  )
  for (const { collection, isTimeSeries } of [...ours, ...(await othersOf(database, entities))]) {
    // A time-series collection has no index on its ids.
    const order = isTimeSeries ? {} : ({ sort: { _id: 1 } } as const)
    const found = await database.run(plainEntity(collection), 'find', () =>
      database.native.collection(collection).findOne({}, { projection: { _id: 1 }, ...order }),
    )
    if (found === null) continue
    throw new MigrationError(
      'NOT_EMPTY',
      `The database is not empty: ${collection} has documents. Sample data is for an empty one. Next: name another database, or add to this one with --not-empty`,
    )
  }
}

/** The collections of the database that are not ours. */
async function othersOf(
  database: Database,
  entities: Readonly<Record<string, EntityDescription>>,
): Promise<{ readonly collection: string; readonly isTimeSeries: boolean }[]> {
  const ours = new Set(Object.values(entities).map(({ collection }) => collection))
  const found = await database.run(plainEntity('collections'), 'listCollections', () =>
    database.native.listCollections({}, { nameOnly: true }).toArray(),
  )
  return found.flatMap(({ name, type }) =>
    type === 'view' || name.startsWith('system.') || ours.has(name) || ofEarlierTools.has(name)
      ? []
      : { collection: name, isTimeSeries: type === 'timeseries' },
  )
}

function isSeed(value: object): value is Seed {
  return 'run' in value && typeof value.run === 'function'
}
