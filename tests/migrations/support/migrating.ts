import type { AutoVolt } from '../../../src/autovolt.js'
import type { Migration, MigrationOptions } from '../../../src/migrations/index.js'
import type { TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

/** The package's own migrations, in their order. */
export const shippedIds: readonly string[] = [
  'autovolt-1-initial-schema',
  'autovolt-2-collection-names',
  'autovolt-3-earlier-versions',
  'autovolt-4-energy-roles',
  'autovolt-5-consumption-costs',
  'autovolt-6-case-priority',
  'autovolt-7-alert-severity',
  'autovolt-8-legacy-consumption',
  'autovolt-9-user-settings',
  'autovolt-10-default-preferences',
  'autovolt-11-device-model',
]

/** A handle whose host has these migrations, on a database whose own ones are written down as applied. */
export async function migrating(
  database: Pick<TestDatabase, 'uri' | 'dbName'>,
  list: readonly Migration[] = [],
  options: MigrationOptions = {},
): Promise<AutoVolt> {
  const volt = await openVolt(database, { migrations: { actor: 'asha', ...options, list } })
  await writeDownShipped(volt)
  return volt
}

/** Prepares a database for processes that are to run the host's migrations alone. */
export async function onlyHosts(database: TestDatabase): Promise<void> {
  const volt = await openVolt(database)
  await writeDownShipped(volt)
  await volt.close()
}

/** Writes the package's own migrations down as applied. */
export async function writeDownShipped(volt: AutoVolt): Promise<void> {
  const records = volt.database.native.collection('migrations')
  const known = await records.find({ name: { $in: [...shippedIds] } }).toArray()
  const missing = shippedIds.filter((id) => known.every(({ name }) => name !== id))
  // Not by `baseline()`, which adopts the logs of earlier tools first, and loads the host's migrations.
  const written = missing.map((name) => ({ name, state: 'applied', origin: 'baseline', steps: [] }))
  if (written.length > 0) await records.insertMany(written)
}

/** A migration that inserts its id into `effects`, and takes it out again. */
export function effect(id: string | number, overrides: Partial<Migration> = {}): Migration {
  return {
    id,
    up: async ({ db }) => db.collection('effects').insertOne({ by: String(id) }),
    down: async ({ db }) => db.collection('effects').deleteOne({ by: String(id) }),
    ...overrides,
  }
}

/** What {@link effect} has written, in order. */
export async function effects({ db }: TestDatabase): Promise<string[]> {
  const found = await db.collection('effects').find().sort({ _id: 1 }).toArray()
  return found.map(({ by }) => String(by))
}

/** The ids and states of the host's migrations. */
export async function statesOf(volt: AutoVolt): Promise<Record<string, string>> {
  const { migrations } = await volt.migrations.status()
  const ofHost = migrations.filter(({ id }) => !id.startsWith('autovolt-'))
  return Object.fromEntries(ofHost.map(({ id, state }) => [id, state]))
}
