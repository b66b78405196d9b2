import type { Db, Document } from 'mongodb'

const unpromoted = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true }

/** Everything that there is in a database, but for what processes do in it. */
export async function contentOf(db: Db): Promise<Record<string, unknown>> {
  const own = ['leases', 'restore_journals', 'backup_schedules', 'privacy_erasures']
  const { collections } = await db.command({ dbHash: 1 })
  const hashes = Object.fromEntries(
    Object.entries(collections).filter(([name]) => ![...own, 'system.views'].includes(name)),
  )
  const listed: Document[] = await db.listCollections({}, unpromoted).toArray()
  const described = listed.filter(({ name }) => !own.includes(name) && !name.startsWith('system.'))
  const collectionsNow = await Promise.all(
    described.map(async ({ name, type, options }) => {
      const indexes = type === 'view' ? [] : await db.collection(name).listIndexes(unpromoted).toArray()
      // What a collection with a validator has unless it is said otherwise.
      const defaults = options.validator === undefined ? {} : { validationLevel: 'strict', validationAction: 'error' }
      return [
        name,
        { type, options: { ...defaults, ...options }, indexes: indexes.toSorted((a, b) => (a.name < b.name ? -1 : 1)) },
      ]
    }),
  )
  return { hashes, collections: Object.fromEntries(collectionsNow) }
}
