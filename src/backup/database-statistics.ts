import type { Db, Document } from 'mongodb'
import { serverCode } from '../core/server-codes.js'
import { serverErrorCode } from '../core/translate-error.js'

/** What the server says of the sizes of a database; nothing where the role may not ask. */
export async function statisticsOf(database: Db): Promise<Document> {
  try {
    return await database.command({ dbStats: 1 })
  } catch (error) {
    if (serverErrorCode(error) === serverCode.unauthorized) return {}
    throw error
  }
}
