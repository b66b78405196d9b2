import { defineMigration, type Migration } from '@autovolt/data/migrations'
import type { Collection, Db, Document } from 'mongodb'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'
import { openWith } from './open.js'

const perBatch = 1_000
const perInsert = 10_000
const mostRounds = 3

const update = { $set: { priority: 'medium' } }
const titleOf = ({ n }: Document) => `Work order ${n}`

const byUpdate = defineMigration({ id: 1, up: { collection: 'orders', update } })
const byFunction = defineMigration({
  id: 1,
  up: {
    collection: 'orders',
    batch: async (documents) =>
      documents.map((document) => ({
        updateOne: { filter: { _id: document._id }, update: { $set: { title: titleOf(document) } } },
      })),
  },
})

/** Documents a second that a backfill changes, and the plain driver's way to the same. */
export async function benchBackfills(uri: string, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const measure = async (name: string, migration: Migration, plain: (orders: Collection) => Promise<void>) => {
    const measured = await alternate(
      Math.min(rounds, mostRounds),
      async (round) => {
        say(`migrations: a backfill of ${documents} by ${name}, round ${round + 1}`)
        await using volt = await openWith(uri, `backfill-${name}-${round}`, [migration])
        const { native } = volt.database
        await makeOrders(native, documents)
        const seconds = await secondsOf(() => volt.migrations.migrate())
        await native.dropDatabase()
        return documents / seconds
      },
      async (round) => {
        await using volt = await openWith(uri, `plain-${name}-${round}`)
        const { native } = volt.database
        await makeOrders(native, documents)
        const seconds = await secondsOf(() => plain(native.collection('orders')))
        await native.dropDatabase()
        return documents / seconds
      },
    )
    return measured
  }
  return [
    ratioRow('migrations.backfill-update', 'documents/s', await measure('update', byUpdate, updateInRanges), {
      atLeast: 0.8,
    }),
    ratioRow('migrations.backfill-function', 'documents/s', await measure('function', byFunction, writeInBulk), {
      atLeast: 0.5,
    }),
  ]
}

async function makeOrders(db: Db, count: number): Promise<void> {
  for (let from = 0; from < count; from += perInsert) {
    const length = Math.min(perInsert, count - from)
    const orders = Array.from({ length }, (_, at) => ({ n: from + at, title: `  Order ${from + at} `, isOpen: true }))
    await db.collection('orders').insertMany(orders)
  }
}

async function updateInRanges(orders: Collection): Promise<void> {
  for (let ids = await idsAfter(orders, undefined); ids.length > 0; ids = await idsAfter(orders, ids.at(-1))) {
    await orders.updateMany({ _id: { $gte: ids[0]?._id, $lte: ids.at(-1)?._id } }, update)
  }
}

function idsAfter(orders: Collection, last: Document | undefined): Promise<Document[]> {
  const filter = last === undefined ? {} : { _id: { $gt: last._id } }
  return orders.find(filter, { sort: { _id: 1 }, limit: perBatch, projection: { _id: 1 } }).toArray()
}

async function writeInBulk(orders: Collection): Promise<void> {
  let batch: Document[] = []
  const write = async () => {
    const operations = batch.map((document) => ({
      updateOne: { filter: { _id: document._id }, update: { $set: { title: titleOf(document) } } },
    }))
    await orders.bulkWrite(operations, { ordered: false })
    batch = []
  }
  for await (const document of orders.find({}, { sort: { _id: 1 }, batchSize: perBatch })) {
    batch.push(document)
    if (batch.length === perBatch) await write()
  }
  if (batch.length > 0) await write()
}
