import type { MigrationStatus } from '../assessment/assess.js'
import { blockedError } from '../assessment/blocked-error.js'
import { compareIds, idText } from '../migration-id.js'
import { runMigration } from '../run/migration-runner.js'
import type { RunParts } from '../run/run-parts.js'
import type { LoadedMigration } from '../source/loaded-migration.js'
import { requireKnown } from './require-known.js'

/** Target: what is run up to this id, which is run too; everything if undefined. */
export type Target = string | number | undefined

/**
 * Runs what is not applied yet, in order, and goes on with what was broken off.
 * @returns the ids of what was run.
 * @throws MigrationError if something has to be decided before.
 */
export async function migratePending(
  parts: RunParts,
  migrations: readonly LoadedMigration[],
  status: readonly MigrationStatus[],
  to: Target,
): Promise<string[]> {
  const pending = pendingOf(migrations, status, to)
  const done: string[] = []
  for (const migration of pending) {
    await runMigration(parts, migration, 'up')
    done.push(migration.id)
  }
  return done
}

/** What would be run, in order. @throws MigrationError if something has to be decided before. */
export function pendingOf(
  migrations: readonly LoadedMigration[],
  status: readonly MigrationStatus[],
  to: Target,
): LoadedMigration[] {
  const last = to === undefined ? undefined : requireKnown(migrations, idText(to)).id
  const problems = status.flatMap(({ problem }) => problem ?? [])
  const backwards = status.find(({ state }) => state === 'rolling_back' || state === 'rollback_failed')
  if (problems.length > 0 || backwards !== undefined) throw blockedError(problems, backwards?.id)
  const open = new Set(status.filter(({ state }) => state !== 'applied').map(({ id }) => id))
  return migrations.filter(({ id }) => open.has(id) && (last === undefined || compareIds(id, last) <= 0))
}
