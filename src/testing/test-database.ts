import { randomBytes, randomUUID } from 'node:crypto'
import { AutoVolt } from '../autovolt.js'
import type { EntityExtensions } from '../domains.js'
import type { AttachOptions } from '../handle-options.js'
import { startReplicaSet } from './replica-set.js'

/** A handle on a database of its own, set up, on a real replica set. */
export interface TestDatabase<Extended extends EntityExtensions = object> extends AsyncDisposable {
  readonly volt: AutoVolt<Extended>
  /** The connection string, without a database name. */
  readonly uri: string
  readonly dbName: string
  /** Empties every collection; validators and indexes stay. To be called between tests. */
  clear(): Promise<void>
  /** Closes the handle and ends the server. */
  stop(): Promise<void>
}

/**
 * Starts a replica set, opens a handle on a new database and sets it up. Secrets can be stored at once: a key is made up.
 * @param options What `AutoVolt.open` takes besides the connection; and `uri`, to use a server that runs already.
 * @throws DatabaseError `CONFIGURATION` if no `mongod` can be found; the message names the places that were tried.
 * @example
 * const database = await startTestDatabase()
 * afterEach(() => database.clear())
 * afterAll(() => database.stop())
 */
export async function startTestDatabase<Extended extends EntityExtensions = object>(
  options: AttachOptions<Extended> & { readonly uri?: string } = {},
): Promise<TestDatabase<Extended>> {
  const { uri: given, ...rest } = options
  const replicaSet = given === undefined ? await startReplicaSet() : undefined
  const uri = given ?? replicaSet?.uri ?? ''
  const dbName = `test_${randomUUID().slice(0, 13)}`
  const keys = { active: 'test', keys: { test: randomBytes(32) } }
  try {
    const volt = await AutoVolt.open<Extended>({ keys, ...rest, uri, dbName })
    await volt.setup()
    const stop = async () => {
      if (replicaSet === undefined) await volt.database.native.dropDatabase()
      await volt.close()
      await replicaSet?.stop()
    }
    return { volt, uri, dbName, clear: () => clearCollections(volt), stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await replicaSet?.stop()
    throw error
  }
}

async function clearCollections({ database }: Pick<AutoVolt, 'database'>): Promise<void> {
  const collections = await database.native.listCollections({ type: 'collection' }, { nameOnly: true }).toArray()
  const own = collections.filter(({ name }) => !name.startsWith('system.'))
  await Promise.all(own.map(({ name }) => database.native.collection(name).deleteMany({})))
}
