import { join } from 'node:path'
import type { AutoVolt } from '@autovolt/data'
import { folderStorage } from '@autovolt/data/backup'
import type { Db, Document, IndexDescription } from 'mongodb'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'
import { storedCollections } from './raw-read.js'

const batchSize = 1000

/** A restore, its verification and its read-back included, beside `insertMany` of the same documents and their indexes after it. */
export async function benchRestore(volt: AutoVolt, folder: string, { rounds, say }: GroupContext): Promise<Row[]> {
  say('restore: beside insertMany without indexes, and the indexes after it')
  const storage = folderStorage(join(folder, 'restored'))
  await volt.backup.create({ storage })
  const { native } = volt.database
  const measured = await alternate(
    rounds,
    async (round) => {
      const into = `bench_restored_${round}`
      const seconds = await secondsOf(() => volt.backup.restore({ storage, target: { into } }))
      await native.client.db(into).dropDatabase()
      return seconds
    },
    async (round) => {
      const plain = native.client.db(`bench_plain_${round}`)
      const seconds = await copyInto(native, plain)
      await plain.dropDatabase()
      return seconds
    },
  )
  return [ratioRow('backup.restore', 's', measured, { atMost: 1.0 })]
}

/** @returns the seconds that inserting and indexing take; reading the documents is not counted. */
async function copyInto(source: Db, target: Db): Promise<number> {
  let seconds = 0
  for (const name of await storedCollections(source)) {
    const [from, to] = [source.collection(name), target.collection(name.replace('system.buckets.', 'buckets_'))]
    const insert = async (batch: readonly Document[]) => {
      seconds += await secondsOf(() => to.insertMany([...batch], { writeConcern: { w: 'majority' } }))
    }
    let batch: Document[] = []
    for await (const document of from.find({}, { promoteValues: false, batchSize })) {
      batch.push(document)
      if (batch.length < batchSize) continue
      await insert(batch)
      batch = []
    }
    if (batch.length > 0) await insert(batch)
    const indexes = (await from.listIndexes().toArray()).filter((index) => index.name !== '_id_')
    if (indexes.length > 0) seconds += await secondsOf(() => to.createIndexes(indexes as IndexDescription[]))
  }
  return seconds
}
