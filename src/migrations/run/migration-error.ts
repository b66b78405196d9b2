import { DatabaseError, type ErrorCode } from '../../core/errors.js'
import type { MigrationProblem } from '../assessment/problem.js'

/** Migrations cannot go on. What is in the way, and what to do about each, is in its `problems`. */
export class MigrationError extends DatabaseError {
  readonly problems: readonly MigrationProblem[]

  constructor(code: ErrorCode, message: string, problems: readonly MigrationProblem[] = [], cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause })
    this.problems = problems
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), problems: this.problems }
  }
}
