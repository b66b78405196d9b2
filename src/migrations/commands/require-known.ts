import { DatabaseError } from '../../core/errors.js'
import type { LoadedMigration } from '../source/loaded-migration.js'

/** @throws DatabaseError `NOT_FOUND` if there is no such migration. */
export function requireKnown(migrations: readonly LoadedMigration[], id: string): LoadedMigration {
  const found = migrations.find((migration) => migration.id === id)
  if (found !== undefined) return found
  throw new DatabaseError(
    'NOT_FOUND',
    `There is no migration ${id}; \`autovolt migrate status\` lists those that there are`,
  )
}
