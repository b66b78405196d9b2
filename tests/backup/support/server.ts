import { randomUUID } from 'node:crypto'
import { type Db, MongoClient } from 'mongodb'
import { cleanUpLater } from '../../support/clean-up.js'
import { startMongodProcess } from '../../support/mongod-process.js'

/** A server that keeps its history, as every server does; that of the other tests keeps none. */
export async function startBackupServer(args: readonly string[] = []) {
  const mongod = await startMongodProcess({ args })
  const client = new MongoClient(mongod.uri)
  cleanUpLater(() => client.close())
  const newName = () => `test_${randomUUID().slice(0, 13)}`
  return { mongod, uri: mongod.uri, client, newName, db: (name: string): Db => client.db(name) }
}
export type BackupServer = Awaited<ReturnType<typeof startBackupServer>>
