import type { Db } from 'mongodb'
import { readCatalog } from '../dump/catalog.js'
import { readBlocks } from '../dump/snapshot.js'
import { type BackupCollection, storedName } from '../format/manifest.js'
import type { RestoreSource } from '../restore/restore-source.js'

export interface DatabaseSourceOptions extends Omit<RestoreSource['content'], 'collections'> {
  /** Collections that are not taken. */
  readonly left: readonly string[]
}

/** A database that nobody uses, as the source of a restore. */
export class DatabaseSource implements RestoreSource {
  readonly content: RestoreSource['content']
  readonly #database: Db

  private constructor(database: Db, content: RestoreSource['content']) {
    this.#database = database
    this.content = content
  }

  static async open(
    database: Db,
    { left, id, database: of, serverVersion, checkpoint }: DatabaseSourceOptions,
  ): Promise<DatabaseSource> {
    const catalog = (await readCatalog(database)).filter(({ name }) => !left.includes(name))
    const collections = catalog.map(async ({ name, type, options, indexes, isCapped }): Promise<BackupCollection> => {
      const described = { name, type, options, indexes, isAtClusterTime: !isCapped, dataFile: null, metadataFile: '' }
      return { ...described, ...(await sizeOf(database, storedName(name, type))) }
    })
    return new DatabaseSource(database, {
      id,
      database: of,
      serverVersion,
      checkpoint,
      collections: await Promise.all(collections),
    })
  }

  async *documents({ name, type }: BackupCollection) {
    const stored = storedName(name, type)
    if (stored !== null) yield* readBlocks(this.#database, stored, undefined)
  }
}

async function sizeOf(database: Db, stored: string | null): Promise<{ documents: number; bsonBytes: number }> {
  if (stored === null) return { documents: 0, bsonBytes: 0 }
  const [found] = await database
    .collection(stored)
    .aggregate([
      { $collStats: { storageStats: {} } },
      { $project: { count: '$storageStats.count', size: '$storageStats.size' } },
    ])
    .toArray()
  return { documents: Number(found?.count ?? 0), bsonBytes: Number(found?.size ?? 0) }
}
