import type { EarlierMigration } from '../log/earlier-logs.js'
import type { MigrationRecord } from '../log/migration-record.js'
import type { RunParts } from '../run/run-parts.js'
import type { LoadedMigration } from '../source/loaded-migration.js'
import { doneSteps } from './repair.js'

/** Writes down as applied what earlier tools have run. @returns the ids. */
export async function adoptLog(
  parts: RunParts,
  migrations: readonly LoadedMigration[],
  earlier: readonly EarlierMigration[],
): Promise<string[]> {
  const { log, run, fence } = parts
  const known = new Map(migrations.map((migration) => [migration.id, migration]))
  for (const one of earlier) {
    const migration = known.get(one.name)
    const about = { name: one.name, action: 'adopt', outcome: 'done', checksum: migration?.checksum } as const
    const event = log.event(about, run, `it is in ${one.collection}`)
    const { name, ...fields } = adoptedRecord(one, migration)
    await fence.persist(async () => {
      await log.put(name, { ...fields, run })
      await log.add(event)
    })
  }
  return earlier.map(({ name }) => name)
}

type AdoptedRecord = Pick<MigrationRecord, 'name' | 'state' | 'origin' | 'steps' | 'executed_at' | 'checksum'>

/** The record of a migration that an earlier tool has run: from now on its source must not change. */
export function adoptedRecord(
  { name, executedAt }: EarlierMigration,
  migration: LoadedMigration | undefined,
): AdoptedRecord {
  return {
    name,
    state: 'applied',
    origin: 'adopted',
    steps: migration === undefined ? [] : doneSteps(migration),
    executed_at: executedAt,
    checksum: migration?.checksum,
  }
}
