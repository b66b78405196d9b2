import { randomUUID } from 'node:crypto'
import { type Db, MongoClient } from 'mongodb'
import { inject } from 'vitest'
import { cleanUpLater } from './clean-up.js'

export interface TestDatabase {
  /** The connection string of the run's replica set, without a database name. */
  readonly uri: string
  readonly dbName: string
  /** The plain driver on this database, which connects when it is first used. */
  readonly db: Db
  readonly client: MongoClient
}

/**
 * A database of its own for a test file (called at its top) or for a single test (called inside it), which is dropped
 * at the end.
 */
export function testDatabase(): TestDatabase {
  const uri = inject('mongodbUri')
  const dbName = `test_${randomUUID().slice(0, 13)}`
  const client = new MongoClient(uri)
  const db = client.db(dbName)
  cleanUpLater(async () => {
    await db.dropDatabase()
    await client.close()
  })
  return { uri, dbName, db, client }
}
