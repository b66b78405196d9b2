import type { ErrorCode } from '../../core/errors.js'
import { MigrationError } from '../run/migration-error.js'
import type { MigrationProblem, ProblemKind } from './problem.js'

const codes: Readonly<Record<ProblemKind, ErrorCode>> = {
  newer: 'DATABASE_NEWER',
  edited: 'MIGRATION_DRIFT',
  missing: 'MIGRATION_DRIFT',
  late: 'MIGRATION_DRIFT',
  failed: 'MIGRATION_BLOCKED',
  interrupted: 'MIGRATION_BLOCKED',
}
/** The first of these that there is names the error. */
const order: readonly ErrorCode[] = ['DATABASE_NEWER', 'MIGRATION_BLOCKED', 'MIGRATION_DRIFT']

/**
 * The error of migrations that cannot go on.
 * @param backwards The migration whose rollback is not finished.
 */
export function blockedError(problems: readonly MigrationProblem[], backwards?: string): MigrationError {
  const found = new Set(problems.map(({ kind }) => codes[kind]))
  const code = order.find((one) => found.has(one)) ?? 'MIGRATION_BLOCKED'
  const unfinished =
    problems.length === 0 && backwards !== undefined
      ? [
          `The rollback of ${backwards} is not finished. Next: roll back again to finish it, before anything else is run`,
        ]
      : []
  const lines = [...unfinished, ...problems.map(({ message, next }) => `${message}. Next: ${next}`)]
  return new MigrationError(code, lines.join('\n'), problems)
}
