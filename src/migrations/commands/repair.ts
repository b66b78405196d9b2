import { DatabaseError } from '../../core/errors.js'
import { currentStep, isBackwards } from '../assessment/assess.js'
import type { MigrationRecord, StoredStep } from '../log/migration-record.js'
import type { RunParts } from '../run/run-parts.js'
import type { LoadedMigration } from '../source/loaded-migration.js'

/**
 * What somebody has found out about a migration: `applied`, all of it is done; `not-applied`, nothing of it is there; `retry`,
 * the step that failed can be run again.
 */
export type RepairAs = 'applied' | 'not-applied' | 'retry'

/** Writes down how a migration stands. It changes the log alone. @throws DatabaseError `NOT_FOUND`, `CONFIGURATION`. */
export async function repair(
  parts: RunParts,
  migration: LoadedMigration | undefined,
  id: string,
  as: RepairAs,
): Promise<void> {
  const record = await parts.log.record(id)
  if (record === null && as !== 'applied') throw nothingToRepair(id)
  if (record === null && migration === undefined) throw nothingToRepair(id)
  const write = writeOf(parts, migration, record, id, as)
  const event = parts.log.event({ name: id, action: 'repair', outcome: 'done' }, parts.run, `decided: ${as}`)
  await parts.fence.persist(async () => {
    await write()
    await parts.log.add(event)
  })
}

function writeOf(
  { log, run, database }: RunParts,
  migration: LoadedMigration | undefined,
  record: MigrationRecord | null,
  id: string,
  as: RepairAs,
): () => Promise<void> {
  if (as === 'not-applied') return () => log.remove(id)
  if (as === 'retry') return retryOf(log, record, id)
  const executed_at = record?.executed_at ?? database.clock.now()
  const source = migration === undefined ? {} : { checksum: migration.checksum, steps: doneSteps(migration) }
  return () =>
    log.put(id, {
      steps: record?.steps ?? [],
      ...source,
      origin: record?.origin ?? 'baseline',
      run,
      executed_at,
      state: 'applied',
      error: undefined,
      downSteps: undefined,
    })
}

function retryOf(log: RunParts['log'], record: MigrationRecord | null, id: string): () => Promise<void> {
  if (record === null || record.state === 'applied') {
    throw new DatabaseError(
      'CONFIGURATION',
      `Nothing of ${id} has failed: there is nothing to run again. Next: to run all of it once more, autovolt migrate repair ${id} --not-applied`,
    )
  }
  const field = isBackwards(record.state) ? 'downSteps' : 'steps'
  const at = currentStep(record[field] ?? [])
  return () => log.change(id, { [`${field}.${at}.state`]: 'waiting' })
}

/** The steps of a migration that is known to be applied. */
export function doneSteps({ up }: LoadedMigration): StoredStep[] {
  return up.map(({ kind, checksum }) => ({ kind, checksum, state: 'done' }))
}

function nothingToRepair(id: string): DatabaseError {
  return new DatabaseError(
    'NOT_FOUND',
    `${id} has no record in the log: there is nothing to repair. Next: autovolt migrate status lists those that there are`,
  )
}
