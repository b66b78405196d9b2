import { AutoVolt, type OrderInput } from '@autovolt/data'
import { Decimal128, MongoClient, ObjectId } from 'mongodb'

/** What a process of the bench is asked to do. */
export interface MarketTask {
  readonly uri: string
  readonly dbName: string
  readonly isPlain: boolean
  readonly areas: readonly string[]
  readonly users: readonly string[]
  readonly orders: number
  readonly nowMs: number
  readonly name: string
}

const atOnce = 100
const placers = 4
const price = Decimal128.fromString('0.100000')
const energy = Decimal128.fromString('1.0000')
const nothing = Decimal128.fromString('0.000000')
const durable = { writeConcern: { w: 'majority', j: true } } as const

async function main(task: MarketTask): Promise<void> {
  const run = task.isPlain ? await plainly(task) : await withMarket(task)
  process.send?.('ready')
  await new Promise<void>((resolve) => process.once('message', () => resolve()))
  await run()
  process.send?.('done')
}

/** Places in batches, and matches beside it until nothing waits. */
async function withMarket({
  uri,
  dbName,
  areas,
  users,
  orders,
  nowMs,
  name,
}: MarketTask): Promise<() => Promise<void>> {
  const volt = await AutoVolt.open({ uri, dbName, clock: { now: () => new Date(nowMs) } })
  await volt.health()
  const window = { availableFrom: new Date(nowMs + 3_600_000), availableUntil: new Date(nowMs + 7_200_000) }
  const place = async (placer: number) => {
    for (let made = placer * atOnce; made < orders; made += placers * atOnce) {
      const batch = Array.from(
        { length: atOnce },
        (_, at): OrderInput => ({
          area: areas[(made / atOnce) % areas.length] ?? '',
          user: users[(made + at) % users.length] ?? '',
          side: at % 2 === 0 ? 'buy' : 'sell',
          energyKwh: '1',
          pricePerKwh: '0.1',
          key: `${name} ${made + at}`,
          ...window,
        }),
      )
      await volt.market.placeMany(batch)
    }
  }
  return async () => {
    const stop = volt.market.start({ everyMs: 20 })
    await Promise.all(Array.from({ length: placers }, (_, placer) => place(placer)))
    await stop()
    await volt.market.run()
    await volt.close()
  }
}

/** The same writes without logic: orders are inserted, and a transaction for each batch fills them. */
async function plainly({ uri, dbName, areas, users, orders, nowMs }: MarketTask): Promise<() => Promise<void>> {
  const client = await new MongoClient(uri).connect()
  const db = client.db(dbName)
  const [orderDocuments, trades, accounts, journals, heads] = ['orders', 'trades', 'accounts', 'journals', 'heads'].map(
    (part) => db.collection(`plain_${part}`),
  ) as [
    ReturnType<typeof db.collection>,
    ReturnType<typeof db.collection>,
    ReturnType<typeof db.collection>,
    ReturnType<typeof db.collection>,
    ReturnType<typeof db.collection>,
  ]
  const batchOf = async (made: number, placer: number) => {
    const area = areas[(made / atOnce) % areas.length] ?? ''
    const all = Array.from({ length: atOnce }, (_, at) => ({
      _id: new ObjectId(),
      ...{
        area,
        user: users[at % users.length],
        side: at % 2 === 0 ? 'buy' : 'sell',
        energyKwh: energy,
        pricePerKwh: price,
      },
      ...{
        totalValue: price,
        filledKwh: nothing,
        reservedAmount: nothing,
        status: 'active',
        isOpen: true,
        due: 'intake',
      },
      ...{
        availableFrom: new Date(nowMs),
        availableUntil: new Date(nowMs),
        key: `${placer} ${made + at}`,
        createdAt: new Date(),
      },
    }))
    await orderDocuments.insertMany(all, { ordered: false, ...durable })
    await client.withSession((session) =>
      session.withTransaction(async () => {
        const set = { status: 'completed', isOpen: false, filledKwh: energy, sequence: made }
        const fills = all.map(({ _id }) => ({
          updateOne: { filter: { _id, filledKwh: nothing }, update: { $set: set, $unset: { due: '' } } },
        }))
        await orderDocuments.bulkWrite(fills, { session })
        const pairs = all
          .filter((_, at) => at % 2 === 0)
          .map(({ _id, user }) => ({ area, amount: price, energyKwh: energy, buyOrder: _id, from: user }))
        await trades.insertMany(pairs, { session })
        const moved = users.slice(0, 50).map((user) => ({
          updateOne: { filter: { area, user }, update: { $inc: { debitsPending: price } }, upsert: true },
        }))
        await accounts.bulkWrite(moved, { session })
        const lines = all.map(({ _id }) => ({ account: _id, counter: 'debitsPending', amount: price, subject: _id }))
        await journals.insertOne({ area, lines }, { session })
        await heads.updateOne({ area: `${area} ${placer}` }, { $inc: { batches: 1 } }, { session, upsert: true })
      }, durable),
    )
  }
  const place = async (placer: number) => {
    for (let made = placer * atOnce; made < orders; made += placers * atOnce) await batchOf(made, placer)
  }
  return async () => {
    await Promise.all(Array.from({ length: placers }, (_, placer) => place(placer)))
    await client.close()
  }
}

await main(JSON.parse(process.argv[2] ?? '') as MarketTask)
process.disconnect()
