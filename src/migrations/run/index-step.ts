import type { IndexDescription } from 'mongodb'
import type { Database } from '../../core/database.js'
import { indexName } from '../../core/index-definition.js'
import { serverCode } from '../../core/server-codes.js'
import { retryWhileBusy } from '../../core/setup/retry-while-busy.js'
import { serverErrorCode } from '../../core/translate-error.js'
import type { IndexStep } from '../migration.js'
import type { Fence } from './fence.js'
import { plainEntity } from './guarded-db.js'

/** Building an index may last longer than any reply. */
const withoutSocketTimeout: object = { socketTimeoutMS: 0 }

/** Builds the indexes that are not there. Others may be building them too. */
export async function buildIndexes(database: Database, fence: Fence, step: IndexStep): Promise<void> {
  const collection = database.native.collection(step.collection)
  await fence.check()
  await database.run(plainEntity(step.collection), 'createIndexes', () =>
    retryWhileBusy(database, () => collection.createIndexes([...step.indexes], withoutSocketTimeout)),
  )
}

/** The names of the indexes that would be built. */
export async function missingIndexes(database: Database, step: IndexStep): Promise<string[]> {
  const names = step.indexes.map(nameOf)
  const found = await database.run(plainEntity(step.collection), 'listIndexes', () =>
    indexNames(database, step.collection),
  )
  return names.filter((name) => !found.has(name))
}

async function indexNames(database: Database, collection: string): Promise<ReadonlySet<string>> {
  try {
    const indexes = await database.native.collection(collection).listIndexes().toArray()
    return new Set(indexes.map(({ name }) => String(name)))
  } catch (error) {
    if (serverErrorCode(error) === serverCode.namespaceNotFound) return new Set()
    throw error
  }
}

function nameOf({ name, key }: IndexDescription): string {
  const entries = key instanceof Map ? Object.fromEntries(key) : key
  return name ?? indexName({ key: entries as Readonly<Record<string, 1>> })
}
