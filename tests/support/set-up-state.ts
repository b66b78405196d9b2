import { BSON, type Db, type Document, MongoClient } from 'mongodb'
import { AutoVolt } from '../../src/autovolt.js'

/** What `setup()` leaves in a new database. */
export interface SetUpState {
  /** Collections with their options and indexes, as extended JSON. */
  readonly structure: string
  /** The documents by their collection, as extended JSON. */
  readonly documents: Readonly<Record<string, string>>
}

/** More than this is dropped faster than it is deleted. */
const mostDocuments = 5_000

/** Sets up a database on the server and reads what came of it. */
export async function readSetUpState(uri: string): Promise<SetUpState> {
  const dbName = 'as_set_up'
  const volt = await AutoVolt.open({ uri, dbName })
  await volt.setup()
  await volt.close()
  const client = new MongoClient(uri)
  try {
    const db = client.db(dbName)
    const documents: Record<string, string> = {}
    for (const name of await collectionNames(db)) {
      const stored = await db.collection(name).find().toArray()
      if (stored.length > 0) documents[name] = BSON.EJSON.stringify(stored, { relaxed: false })
    }
    return { structure: await structureOf(db), documents }
  } finally {
    await client.close()
  }
}

/** Brings the database into the state, if only its documents differ. @returns whether it is in it now. */
export async function isEmptiedTo(db: Db, { structure, documents }: SetUpState): Promise<boolean> {
  // What the profiler has recorded can be removed with the database only.
  if (await db.listCollections({ name: 'system.profile' }).hasNext()) return false
  if ((await structureOf(db)) !== structure) return false
  const names = await collectionNames(db)
  const counts = await Promise.all(
    names.map(async (name) => [name, await db.collection(name).estimatedDocumentCount()] as const),
  )
  if (counts.reduce((sum, [, count]) => sum + count, 0) > mostDocuments) return false
  for (const [name, count] of counts) {
    if (count > 0) await db.collection(name).deleteMany({})
    const stored = documents[name]
    if (stored !== undefined) await db.collection(name).insertMany(BSON.EJSON.parse(stored, { relaxed: false }))
  }
  return true
}

async function structureOf(db: Db): Promise<string> {
  const collections = (await listed(db)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const described = await Promise.all(
    collections.map(async ({ name, type, options }) => {
      const indexes = type === 'view' ? [] : await db.collection(name).listIndexes().toArray()
      return [name, type, options, indexes.map(describeIndex).sort()]
    }),
  )
  return BSON.EJSON.stringify(described)
}

const describeIndex = (index: Document) => BSON.EJSON.stringify(index)

async function listed(db: Db): Promise<Document[]> {
  const collections: Document[] = await db.listCollections().toArray()
  return collections.filter(({ name }) => !name.startsWith('system.'))
}

async function collectionNames(db: Db): Promise<string[]> {
  return (await listed(db)).filter(({ type }) => type !== 'view').map(({ name }) => name)
}
