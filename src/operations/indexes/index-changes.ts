import type { Document } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import type { Admin } from '../admin.js'

interface NamedIndex {
  readonly collection: string
  readonly index: string
}

/** Has the planner do without an index, which goes on being kept up: what misses it shows before it is gone. @throws as {@link requireIndex}. */
export async function hideIndex(admin: Admin, { collection, index }: NamedIndex): Promise<void> {
  const { unique, expireAfterSeconds } = await requireIndex(admin, { collection, index })
  if (unique === true || expireAfterSeconds !== undefined)
    throw new DatabaseError(
      'CONFIGURATION',
      `${index} does its work also where no query uses it: it is unique, or removes documents by their age`,
    )
  await admin.run({ collMod: collection, index: { name: index, hidden: true } })
}

/** Undoes {@link hideIndex}. */
export async function unhideIndex(admin: Admin, { collection, index }: NamedIndex): Promise<void> {
  await requireIndex(admin, { collection, index })
  await admin.run({ collMod: collection, index: { name: index, hidden: false } })
}

/**
 * Drops an index that is hidden. @returns its description, which `createIndex` takes to build it again.
 * @throws DatabaseError `CONFIGURATION` for one that is not hidden.
 */
export async function dropHiddenIndex(admin: Admin, { collection, index }: NamedIndex): Promise<Document> {
  const found = await requireIndex(admin, { collection, index })
  if (found.hidden !== true)
    throw new DatabaseError(
      'CONFIGURATION',
      `${index} is not hidden: hide it first, and drop it when nothing has missed it`,
    )
  await admin.run({ dropIndexes: collection, index })
  const { v: _, hidden: __, ...description } = found
  return description
}

/** @throws DatabaseError `CONFIGURATION` if there is no such index, or it is that of `_id`. */
async function requireIndex({ database }: Admin, { collection, index }: NamedIndex): Promise<Document> {
  const indexes = await indexesOf(database.native.collection(collection))
  const found = indexes.find(({ name }) => name === index)
  if (found === undefined || index === '_id_')
    throw new DatabaseError('CONFIGURATION', 'There is no such index that could be hidden or dropped')
  return found
}

async function indexesOf(collection: { indexes(): Promise<Document[]> }): Promise<Document[]> {
  try {
    return await collection.indexes()
  } catch {
    // A collection that is not there has none.
    return []
  }
}
