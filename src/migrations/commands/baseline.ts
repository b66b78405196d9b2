import { compareIds } from '../migration-id.js'
import type { RunParts } from '../run/run-parts.js'
import type { LoadedMigration } from '../source/loaded-migration.js'
import { doneSteps } from './repair.js'

/**
 * Writes down as applied, without running them, what has no record yet, up to an id, which is written down too.
 * @returns the ids.
 */
export async function baseline(
  parts: RunParts,
  migrations: readonly LoadedMigration[],
  recorded: ReadonlySet<string>,
  to: string,
): Promise<string[]> {
  const { log, run, fence, database } = parts
  const chosen = migrations.filter(({ id }) => !recorded.has(id) && compareIds(id, to) <= 0)
  const executed_at = database.clock.now()
  const events = chosen.map(({ id, checksum }) =>
    log.event({ name: id, action: 'baseline', outcome: 'done', checksum }, run),
  )
  await fence.persist(async () => {
    for (const migration of chosen) {
      const { id, checksum } = migration
      const steps = doneSteps(migration)
      await log.put(id, { state: 'applied', origin: 'baseline', checksum, steps, run, executed_at, durationMs: 0 })
    }
    for (const event of events) await log.add(event)
  })
  return chosen.map(({ id }) => id)
}
