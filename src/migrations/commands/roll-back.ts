import type { MigrationStatus } from '../assessment/assess.js'
import { blockedError } from '../assessment/blocked-error.js'
import { compareIds, idText } from '../migration-id.js'
import { MigrationError } from '../run/migration-error.js'
import { runMigration } from '../run/migration-runner.js'
import type { RunParts } from '../run/run-parts.js'
import type { LoadedMigration } from '../source/loaded-migration.js'
import { requireKnown } from './require-known.js'

/** How far to go back: some steps, or down to an id, which stays. */
export type RollbackTarget = { readonly steps: number } | { readonly to: string | number }

/**
 * Rolls back the last migrations, the last one first.
 * @returns the ids of what was rolled back.
 * @throws MigrationError `IRREVERSIBLE` if one of them has no `down`, and then nothing is rolled back.
 */
export async function rollBack(
  parts: RunParts,
  migrations: readonly LoadedMigration[],
  status: readonly MigrationStatus[],
  target: RollbackTarget,
): Promise<string[]> {
  const done: string[] = []
  for (const migration of reversibleOf(migrations, status, target)) {
    await runMigration(parts, migration, 'down')
    done.push(migration.id)
  }
  return done
}

/** What would be rolled back, in order. */
export function reversibleOf(
  migrations: readonly LoadedMigration[],
  status: readonly MigrationStatus[],
  target: RollbackTarget,
): LoadedMigration[] {
  const chosen = chosenOf(migrations, status, target)
  const known = chosen.flatMap(({ id }) => migrations.find((migration) => migration.id === id) ?? [])
  const problems = problemsOf(status, chosen)
  if (problems.length > 0) throw blockedError(problems)
  const fixed = chosen.filter(({ isReversible }) => !isReversible).map(({ id }) => id)
  if (fixed.length === 0) return known
  throw new MigrationError(
    'IRREVERSIBLE',
    `Nothing was rolled back: ${fixed.join(', ')} cannot be, without a \`down\`. Next: give it one, or write a new migration that sets right what is wrong`,
  )
}

/** From the last one on: those that are applied, and the one whose rollback was broken off. */
function chosenOf(
  migrations: readonly LoadedMigration[],
  status: readonly MigrationStatus[],
  target: RollbackTarget,
): MigrationStatus[] {
  const applied = status.filter(({ state, isKnown, origin }) => {
    const isOurs = isKnown || origin !== 'adopted'
    return isOurs && (state === 'applied' || state === 'rolling_back' || state === 'rollback_failed')
  })
  const backwards = applied.toSorted((a, b) => compareIds(b.id, a.id))
  if ('steps' in target) return backwards.slice(0, target.steps)
  const last = requireKnown(migrations, idText(target.to)).id
  return backwards.filter(({ id }) => compareIds(id, last) > 0)
}

/** What is changed, missing or half done among those that are chosen; and what is half done elsewhere. */
function problemsOf(status: readonly MigrationStatus[], chosen: readonly MigrationStatus[]) {
  return status.flatMap(({ id, state, problem }) => {
    if (problem === undefined || problem.kind === 'late') return []
    const isHalfDone = problem.kind === 'failed' || problem.kind === 'interrupted'
    const counts = chosen.some((one) => one.id === id) || (isHalfDone && state !== 'applied')
    return counts ? [problem] : []
  })
}
