import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import type { LoadedMigration, LoadedStep } from '../source/loaded-migration.js'
import { MigrationError } from './migration-error.js'
import type { Direction, RunParts } from './run-parts.js'
import { RunRecord } from './run-record.js'
import { runStep } from './step-runner.js'

/**
 * Runs the steps of a migration that are not done yet, up or down. Before each step and after it the log says so.
 * @throws MigrationError `MIGRATION_FAILED` if a step fails, `MIGRATION_STOPPED` if the run is stopped; DatabaseError `LEASE_LOST`
 * if another process has the lock now.
 */
export async function runMigration(parts: RunParts, migration: LoadedMigration, direction: Direction): Promise<void> {
  const steps = stepsOf(migration, direction)
  const record = new RunRecord(parts, migration, direction)
  await record.begin(steps)
  parts.report({ type: 'started', migration: migration.id, direction })
  for (const [at, step] of steps.entries()) {
    if (record.isDone(at)) continue
    if (parts.signal.aborted) throw lostLock(parts.signal) ?? (await record.stopped(at))
    try {
      await runStep(parts, record, at, step)
    } catch (error) {
      throw await failureOf(parts, record, at, step, error)
    }
  }
  parts.report({ type: 'finished', migration: migration.id, direction })
}

function stepsOf({ id, up, down }: LoadedMigration, direction: Direction): readonly LoadedStep[] {
  if (direction === 'up') return up
  if (down === undefined)
    throw new MigrationError(
      'IRREVERSIBLE',
      `${id} cannot be rolled back: it has no \`down\`. Next: give it one, or write a new migration`,
    )
  return down
}

/** Writes down that a step failed, unless the lock is lost: then the log is another's. */
async function failureOf(
  parts: RunParts,
  record: RunRecord,
  at: number,
  step: LoadedStep,
  thrown: unknown,
): Promise<unknown> {
  const error = translateError(thrown)
  if (error instanceof DatabaseError && error.code === 'LEASE_LOST') return error
  const lost = lostLock(parts.signal)
  if (lost !== undefined) return lost
  // What was stopped between two batches can go on as it is.
  return parts.signal.aborted && step.kind !== 'function' ? record.stopped(at) : record.failed(at, step, error)
}

function lostLock({ reason }: AbortSignal): DatabaseError | undefined {
  return reason instanceof DatabaseError && reason.code === 'LEASE_LOST' ? reason : undefined
}
