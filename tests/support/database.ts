import { randomUUID } from 'node:crypto'
import { type Db, MongoClient } from 'mongodb'
import { inject } from 'vitest'
import { cleanUpLater } from './clean-up.js'
import { isEmptiedTo } from './set-up-state.js'

export interface TestDatabase {
  /** The connection string of the run's replica set, without a database name. */
  readonly uri: string
  readonly dbName: string
  /** The plain driver on this database, which connects when it is first used. */
  readonly db: Db
  readonly client: MongoClient
}

/** Databases of this worker that are as `setup()` leaves a new one. */
const setUpNames: string[] = []

/**
 * A database of its own for a test file (called at its top) or for a single test (called inside it), which is dropped
 * at the end. It is new: nothing has been set up in it.
 */
export function testDatabase(): TestDatabase {
  return openDatabase(newName(), ({ db }) => db.dropDatabase())
}

/**
 * As {@link testDatabase}, for tests that call `setup()` before anything else. Creating all collections takes the server half
 * a second, so a database that is still as `setup()` made it is emptied at the end and given to the next test. Not for tests
 * of child processes: what a killed one has begun may end in the next test.
 */
export function setUpDatabase(): TestDatabase {
  return openDatabase(setUpNames.pop() ?? newName(), giveBack)
}

/** Does work with a database as {@link setUpDatabase} gives one: for tests beside each other, in which no test is the current one. */
export async function withSetUpDatabase<Result>(work: (database: TestDatabase) => Promise<Result>): Promise<Result> {
  const database = connect(setUpNames.pop() ?? newName())
  try {
    return await work(database)
  } finally {
    await giveBack(database)
    await database.client.close()
  }
}

async function giveBack({ db, dbName }: TestDatabase): Promise<void> {
  if (await isEmptiedTo(db, inject('setUpState'))) setUpNames.push(dbName)
  else await db.dropDatabase()
}

const newName = () => `test_${randomUUID().slice(0, 13)}`

function openDatabase(dbName: string, release: (database: TestDatabase) => Promise<unknown>): TestDatabase {
  const database = connect(dbName)
  cleanUpLater(async () => {
    await release(database)
    await database.client.close()
  })
  return database
}

function connect(dbName: string): TestDatabase {
  const uri = inject('mongodbUri')
  const client = new MongoClient(uri)
  return { uri, dbName, client, db: client.db(dbName) }
}
