import type { Db } from 'mongodb'

/** Which of the collections are views: one shows whatever somebody wants it to, another thing each time. */
export async function viewsAmong(database: Db, collections: readonly string[]): Promise<string[]> {
  const filter = { name: { $in: [...collections] }, type: 'view' }
  const found = await database.listCollections(filter, { nameOnly: true, authorizedCollections: true }).toArray()
  return found.map(({ name }) => name)
}
