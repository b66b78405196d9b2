import type { AutoVolt } from '../../../src/autovolt.js'
import type { Migration } from '../../../src/migrations/index.js'
import type { TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

/** A handle on a database that none of the package's migrations has seen, with all up to this one written down as applied. */
export async function voltBefore(
  database: TestDatabase,
  id: string,
  list: readonly Migration[] = [],
): Promise<AutoVolt> {
  const volt = await openVolt(database, { migrations: { list } })
  const { migrations } = await volt.migrations.status()
  const earlier = migrations.findIndex((one) => one.id === id) - 1
  const last = migrations[earlier]
  if (last !== undefined) await volt.migrations.baseline(last.id)
  return volt
}

/** What the migration has noted. */
export async function notesOf(volt: AutoVolt, id: string): Promise<readonly string[]> {
  const { migrations } = await volt.migrations.status()
  return migrations.find((one) => one.id === id)?.notes ?? []
}

/** All documents of some collections, by their names. */
export async function contents({ db }: TestDatabase, ...names: readonly string[]) {
  const entries = names.map(
    async (name) => [name, await db.collection(name).find().sort({ _id: 1 }).toArray()] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}
