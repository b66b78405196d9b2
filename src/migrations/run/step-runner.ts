import { BackfillRun } from '../backfill/backfill-run.js'
import type { MigrationFunction } from '../migration.js'
import type { LoadedStep } from '../source/loaded-migration.js'
import { StepContext } from './context.js'
import { insisting } from './fence.js'
import { buildIndexes } from './index-step.js'
import type { RunParts } from './run-parts.js'
import type { RunRecord } from './run-record.js'
import { StepProgress } from './step-progress.js'

/** Runs one step, and writes down that it is done: in its own transaction where it has one. */
export async function runStep(parts: RunParts, record: RunRecord, at: number, step: LoadedStep): Promise<void> {
  const { database, fence, entities, signal } = parts
  const progress = new StepProgress(parts, record.reported(at))
  const context = new StepContext({
    id: record.name,
    database,
    fence,
    entities,
    signal,
    progress: (done, total) => progress.report(done, total),
    kept: record.kept,
  })
  switch (step.kind) {
    case 'transaction':
      return runInTransaction(parts, record, at, step.run, context)
    case 'function':
    case 'verification':
      await step.run(context.given)
      break
    case 'repeatable':
      await insisting(() => {
        context.restart()
        return step.run(context.given)
      })
      break
    case 'indexes':
      await insisting(() => buildIndexes(database, fence, step.step))
      break
    case 'backfill':
      await new BackfillRun(parts, step.step, record.backfillPlace(at), context.given, progress).run()
      break
  }
  await fence.persist(() => record.done(at, context))
}

/** Again from its start, if it is not done, after an outage within which it may have been committed. */
function runInTransaction(
  { fence }: RunParts,
  record: RunRecord,
  at: number,
  run: MigrationFunction,
  context: StepContext,
): Promise<void> {
  let isAgain = false
  return fence.persist(async () => {
    if (isAgain && (await record.isDoneNow(at))) return
    isAgain = true
    context.restart()
    await run(context.given)
    await record.done(at, context)
  })
}
