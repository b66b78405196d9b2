import type { Collection } from 'mongodb'
import { serverCode } from '../server-codes.js'
import { serverErrorCode } from '../translate-error.js'

/** About how many documents there are, by statistics alone: a role that may not read the documents may ask. */
export async function countOfStatistics(collection: Collection): Promise<number> {
  try {
    const found = await collection.aggregate<{ count: number }>([{ $collStats: { count: {} } }]).toArray()
    return found.reduce((sum, { count }) => sum + count, 0)
  } catch (error) {
    if (serverErrorCode(error) === serverCode.namespaceNotFound) return 0
    throw error
  }
}
