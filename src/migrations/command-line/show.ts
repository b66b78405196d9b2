import type { MigrationStatus } from '../assessment/assess.js'
import type { MigrationProblem } from '../assessment/problem.js'
import type { PlannedMigration } from '../commands/plan.js'
import type { MigrationsStatus } from '../migrations.js'

export function statusLines({ migrations, lock }: MigrationsStatus): string[] {
  const width = Math.max(0, ...migrations.map(({ id }) => id.length))
  const lines = migrations.flatMap((one) => [
    `${one.state.padEnd(15)} ${one.id.padEnd(width)}  ${detailOf(one)}`.trimEnd(),
    ...noteLines([one], [one.id]).map((line) => `  ${line}`),
  ])
  const held = lock === null ? [] : [`The lock has ${lock.holder}${lock.isHeld ? '' : ', which has died'}`]
  return migrations.length === 0 ? ['There are no migrations', ...held] : [...lines, ...held]
}

function detailOf({ problem, progress, appliedAt, run, description }: MigrationStatus): string {
  if (problem !== undefined) return `${problem.kind}: ${problem.message}. Next: ${problem.next}`
  if (progress !== undefined) {
    const { step, steps, done, total } = progress
    const documents = done === undefined ? '' : `, ${done} of ${total ?? 'unknown'} documents`
    return `step ${step} of ${steps}${documents}`
  }
  if (appliedAt === undefined) return description ?? ''
  return run === undefined ? appliedAt.toISOString() : `${appliedAt.toISOString()} by ${run.actor} on ${run.host}`
}

/** What these migrations have noted for a person. */
export function noteLines(migrations: readonly MigrationStatus[], ids: readonly string[]): string[] {
  const those = migrations.filter(({ id }) => ids.includes(id))
  return those.flatMap(({ id, notes = [] }) => notes.map((note) => `note of ${id}: ${note}`))
}

export function planLines(planned: readonly PlannedMigration[]): string[] {
  if (planned.length === 0) return ['Nothing would be run']
  return planned.flatMap(({ id, description, isReversible, changes, unplannedFunctions }) => [
    `${id}${description === undefined ? '' : `: ${description}`}${isReversible ? '' : ' (cannot be rolled back)'}`,
    ...changes.map(({ collection, documents, indexes, note }) => {
      const count = documents === undefined ? [] : [documents === null ? 'many documents' : `${documents} documents`]
      const built = indexes === undefined ? [] : [indexes.length === 0 ? 'no index' : `indexes ${indexes.join(', ')}`]
      return `  ${collection}: ${[...count, ...built, ...(note === undefined ? [] : [note])].join('; ')}`
    }),
    ...(unplannedFunctions === 0 ? [] : [`  ${unplannedFunctions} functions that do not say what they change`]),
  ])
}

export function problemLines(problems: readonly MigrationProblem[]): string[] {
  return problems.map(({ kind, message, next }) => `${kind}: ${message}. Next: ${next}`)
}

/** Names, one a line, or a sentence if there are none. */
export function listLines(names: readonly string[], what: string, none: string): string[] {
  return names.length === 0 ? [none] : names.map((name) => `${what} ${name}`)
}
