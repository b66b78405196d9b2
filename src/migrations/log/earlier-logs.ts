import type { Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import { plainEntity } from '../run/guarded-db.js'

/** A migration that an earlier tool has run. */
export interface EarlierMigration {
  /** Its name without the extension of a file, as ids of migrations are. */
  readonly name: string
  /** When it was run, as far as the tool said so. */
  readonly executedAt: Date | undefined
  /** The collection that says so. */
  readonly collection: string
}

interface EarlierLog {
  readonly collection: string
  readonly timeField: string
}

const mostRead = 10_000
const extension = /\.[cm]?[jt]s$/

/**
 * What earlier tools have run, each migration once and at its first time: their logs need not be unique.
 * @param ownCollection Where our records are, among which an earlier tool may have kept its own.
 */
export async function earlierMigrations(database: Database, ownCollection: string): Promise<EarlierMigration[]> {
  const logs: readonly EarlierLog[] = [
    { collection: ownCollection, timeField: 'executed_at' },
    { collection: 'knex_migrations', timeField: 'migration_time' },
  ]
  const found = new Map<string, EarlierMigration>()
  for (const log of logs) {
    for (const document of await documentsOf(database, log)) {
      const one = { ...earlierOf(document, log), collection: log.collection }
      const known = found.get(one.name)
      if (known === undefined || isBefore(one, known)) found.set(one.name, one)
    }
  }
  return [...found.values()]
}

function documentsOf(database: Database, { collection }: EarlierLog): Promise<Document[]> {
  const filter = { name: { $type: 'string' }, state: { $exists: false } }
  return database.run(plainEntity(collection), 'find', () =>
    database.native
      .collection(collection)
      .find(filter, { limit: mostRead, hint: { _id: 1 } })
      .toArray(),
  )
}

function earlierOf(document: Document, { timeField }: EarlierLog): Omit<EarlierMigration, 'collection'> {
  return { name: String(document.name).replace(extension, ''), executedAt: timeOf(document[timeField]) }
}

/** Tools write dates, texts and epoch milliseconds. */
function timeOf(value: unknown): Date | undefined {
  if (!(value instanceof Date) && typeof value !== 'string' && typeof value !== 'number') return undefined
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? undefined : time
}

function isBefore(one: EarlierMigration, other: EarlierMigration): boolean {
  if (one.executedAt === undefined) return false
  return other.executedAt === undefined || one.executedAt < other.executedAt
}
