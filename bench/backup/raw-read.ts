import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db } from 'mongodb'
import { scanRaw } from '../../src/ledger/raw-scan.js'

/** The collections that have documents of their own, buckets of time series among them. */
export async function storedCollections(database: Db): Promise<string[]> {
  const listed = await database.listCollections({}, { nameOnly: true }).toArray()
  return listed.filter(({ name, type }) => type === 'collection' && name !== 'system.views').map(({ name }) => name)
}

/** What the raw command gives of all collections, batch by batch to disk: the fastest way to read that the driver has. */
export async function readToDisk(database: Db, folder: string): Promise<string[]> {
  const files: string[] = []
  for (const name of await storedCollections(database)) {
    const path = join(folder, encodeURIComponent(name))
    const file = await open(path, 'w')
    try {
      for await (const { buffer, start, end } of scanRaw(database, name, {}))
        await file.write(buffer, start, end - start)
      await file.sync()
    } finally {
      await file.close()
    }
    files.push(path)
  }
  return files
}
