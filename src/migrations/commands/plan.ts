import type { Database } from '../../core/database.js'
import { countMatching } from '../backfill/batch-source.js'
import type { Backfill, MigrationContext, PlannedChange } from '../migration.js'
import { type EntitiesByKey, StepContext } from '../run/context.js'
import { refusingGuard } from '../run/fence.js'
import { missingIndexes } from '../run/index-step.js'
import type { LoadedMigration, LoadedStep, StepKind } from '../source/loaded-migration.js'

/** A migration that would be run. */
export interface PlannedMigration {
  readonly id: string
  readonly description?: string
  readonly isReversible: boolean
  /** Its backfills and indexes, and what its own `plan` says about its functions. */
  readonly changes: readonly PlannedChange[]
  /** How many functions it has that say nothing of what they change. */
  readonly unplannedFunctions: number
}

const functionKinds: ReadonlySet<StepKind> = new Set<StepKind>(['function', 'transaction', 'repeatable'])

/** What the migrations would do. Nothing is written. */
export async function planOf(
  database: Database,
  entities: EntitiesByKey,
  migrations: readonly LoadedMigration[],
): Promise<PlannedMigration[]> {
  const planned: PlannedMigration[] = []
  for (const migration of migrations)
    planned.push(await planOne(database, readingContext(database, entities, migration), migration))
  return planned
}

async function planOne(
  database: Database,
  context: MigrationContext,
  migration: LoadedMigration,
): Promise<PlannedMigration> {
  const { id, description, up, down, plan } = migration
  const changes: PlannedChange[] = [...((await plan?.(context)) ?? [])]
  for (const step of up) changes.push(...(await changesOf(database, context, step)))
  const functions = up.filter(({ kind }) => functionKinds.has(kind))
  return {
    id,
    ...(description === undefined ? {} : { description }),
    isReversible: down !== undefined,
    changes,
    unplannedFunctions: plan === undefined ? functions.length : 0,
  }
}

async function changesOf(database: Database, context: MigrationContext, loaded: LoadedStep): Promise<PlannedChange[]> {
  if (loaded.kind === 'indexes') {
    const { collection } = loaded.step
    return [{ collection, indexes: await missingIndexes(database, loaded.step) }]
  }
  if (loaded.kind !== 'backfill') return []
  const { collection } = loaded.step
  return [{ collection, documents: await countOf(database, context, loaded.step) }]
}

function countOf(database: Database, context: MigrationContext, step: Backfill): Promise<number | null> {
  if (!('cursor' in step)) return countMatching(database, step.collection, step.filter ?? {})
  return step.cursor.count?.(context) ?? Promise.resolve(null)
}

function readingContext(database: Database, entities: EntitiesByKey, { id }: LoadedMigration): MigrationContext {
  const signal = new AbortController().signal
  return new StepContext({ id, database, fence: refusingGuard, entities, signal, progress: () => undefined }).given
}
