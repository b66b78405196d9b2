import { DatabaseError } from '../../core/errors.js'
import type { Migration } from '../migration.js'
import { compareIds, isOfPackage, packagePrefix } from '../migration-id.js'
import { loadFolder } from './load-folder.js'
import type { LoadedMigration } from './loaded-migration.js'
import { parseMigration } from './parse-migration.js'

/** Migration sources: where a host's migrations come from. */
export interface MigrationSources {
  /** The folder with a file for each: its name without the extension is the id. A relative path is one of the working directory. */
  readonly folder?: string | URL
  /** Migrations that are objects. */
  readonly list?: readonly Migration[]
}

const exportedNames = ['id', 'description', 'transaction', 'repeatable', 'up', 'down', 'verify', 'plan']

/**
 * The package's migrations and the host's, in their order.
 * @throws DatabaseError `CONFIGURATION` for one that is none, or whose id is taken.
 */
export async function loadMigrations(
  shipped: readonly Migration[],
  { folder, list = [] }: MigrationSources,
): Promise<readonly LoadedMigration[]> {
  const modules = folder === undefined ? [] : await loadFolder(folder, exportedNames)
  const hosts = [
    ...modules.map(({ name, file, exported }) => parseMigration({ id: name, ...exported }, file)),
    ...list.map((migration) => parseMigration(migration)),
  ]
  const taken = hosts.find(({ id }) => isOfPackage(id))
  if (taken !== undefined)
    throw new DatabaseError(
      'CONFIGURATION',
      `${taken.id}: ids that begin with ${packagePrefix} are the package's own; give it another id`,
    )
  const migrations = [...shipped.map((migration) => parseMigration(migration)), ...hosts]
  const sorted = migrations.toSorted((a, b) => compareIds(a.id, b.id))
  refuseTwins(sorted)
  return sorted
}

function refuseTwins(sorted: readonly LoadedMigration[]): void {
  const at = sorted.findIndex(({ id }, index) => id === sorted[index + 1]?.id)
  const [one, other] = sorted.slice(at, at + 2)
  if (at === -1 || one === undefined || other === undefined) return
  const places = [one, other].map(({ file }) => file ?? 'the list').join(' and ')
  throw new DatabaseError(
    'CONFIGURATION',
    `Two migrations have the id ${one.id}: in ${places}; give one of them another id`,
  )
}
