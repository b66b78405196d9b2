import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import { type Group, type Row, ratioRow, spreadOf, valueRow } from '../harness.js'
import type { MarketTask } from './market-process.js'

const processes = 4
const areaCount = 50
const ordersEach = 7_500
const bookOrders = 100_000
const questions = 200
const nowMs = Date.parse('2026-03-02T09:00:00Z')
const program = fileURLToPath(new URL('./market-process.ts', import.meta.url))

/** Placing and matching by four processes, beside plain transactions with the same writes; then questions to a large book. */
export const market: Group = async ({ say }) => {
  await using replicaSet = await startReplicaSet()
  const dbName = 'bench'
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName, clock: { now: () => new Date(nowMs) } })
  await volt.setup()
  await copyIndexes(volt)
  const users = await seedUsers(volt)
  const areas = await seedAreas(volt, users)
  const task = { uri: replicaSet.uri, dbName, areas, users, orders: ordersEach, nowMs }
  say(`${processes} processes place ${processes * ordersEach} orders in ${areaCount} areas`)
  const ours = await ordersPerSecond({ ...task, isPlain: false })
  // The last of one process may be left where another just had the area.
  await volt.market.run()
  const counts = { isOpen: false, status: 'completed' as const }
  say(`${await volt.market.orders.count(counts)} of them are completed`)
  if ((await volt.market.orders.count({ isOpen: true })) > 0) throw new Error('Orders were left')
  const plain = await ordersPerSecond({ ...task, isPlain: true })
  const rate = {
    value: ours,
    baseline: plain,
    ratio: ours / plain,
    valueSpread: spreadOf([ours]),
    ratioSpread: spreadOf([ours / plain]),
  }
  return [
    valueRow('market.place-and-match', 'orders/s', rate, { atLeast: 1_500 }),
    ratioRow('market.place-and-match-by-plain-transactions', 'orders/s', rate, { atLeast: 0.5 }),
    ...(await askBook(volt, users, say)),
  ]
}

async function ordersPerSecond(task: Omit<MarketTask, 'name'>): Promise<number> {
  const children = Array.from({ length: processes }, (_, at) =>
    fork(program, [JSON.stringify({ ...task, name: `process ${at}` })], { execArgv: ['--import', 'tsx'] }),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const startedMs = Date.now()
  for (const child of children) child.send('go')
  await Promise.all(children.map((child) => once(child, 'message')))
  return (processes * task.orders) / ((Date.now() - startedMs) / 1_000)
}

/** The same writes have the same indexes to keep. */
async function copyIndexes(volt: AutoVolt): Promise<void> {
  const { native } = volt.database
  const copied = { orders: 'market_orders', trades: 'market_transactions', journals: 'market_journals' }
  for (const [plain, collection] of Object.entries(copied))
    for (const { key, name, partialFilterExpression } of await native.collection(collection).indexes())
      if (name !== '_id_')
        await native
          .collection(`plain_${plain}`)
          .createIndex(key, partialFilterExpression ? { partialFilterExpression } : {})
  await native.collection('plain_accounts').createIndex({ area: 1, user: 1 }, { unique: true })
  await native.collection('plain_heads').createIndex({ area: 1 }, { unique: true })
}

async function seedUsers(volt: AutoVolt): Promise<string[]> {
  const inputs = Array.from({ length: 200 }, (_, at) => ({
    name: `Trader ${at}`,
    email: `trader-${at}@example.org`,
    userType: 'prosumer' as const,
  }))
  const users = await volt.users.createMany(inputs)
  await volt.devices.createMany(
    users.map(({ _id: owner }) => ({
      name: 'Roof',
      type: 'solar_inverter',
      externalId: `roof ${owner.toHexString()}`,
      owner,
      energyRole: 'production' as const,
      lastSignOfLifeAt: new Date(nowMs),
    })),
  )
  return users.map(({ _id }) => _id.toHexString())
}

async function seedAreas(volt: AutoVolt, users: readonly string[]): Promise<string[]> {
  const names = Array.from({ length: areaCount }, (_, at) => ({ name: `Area ${at}` }))
  const areas = (await volt.market.areas.createMany(names)).map(({ _id }) => _id.toHexString())
  for (const area of areas)
    await Promise.all(
      users.map((to) =>
        volt.market.transfer({ area, type: 'token_transfer', to, amount: '1000000', key: `deposit ${to}` }),
      ),
    )
  await volt.market.run()
  return areas
}

async function askBook(volt: AutoVolt, users: readonly string[], say: (text: string) => void): Promise<Row[]> {
  const { _id: area } = await volt.market.areas.create({ name: 'Large' })
  say(`${bookOrders} open orders`)
  for (let made = 0; made < bookOrders; made += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, at) => ({
      area,
      user: users[(made + at) % users.length] ?? '',
      side: 'sell' as const,
      energyKwh: '1.5',
      pricePerKwh: `0.${100_000 + ((made + at) % 5_000)}`,
      availableFrom: new Date(nowMs + 3_600_000),
      availableUntil: new Date(nowMs + 7_200_000),
      // Of ten orders one is within 50 km of the middle.
      location: { type: 'Point' as const, coordinates: [((made + at) % 90) / 10, 0] as [number, number] },
      key: `book ${made + at}`,
    }))
    await volt.market.placeMany(batch)
  }
  await volt.market.run()
  const middle = { type: 'Point' as const, coordinates: [4, 0] as [number, number] }
  const book = await percentile95(() => volt.market.orderBook({ area, depth: 10 }))
  const local = await percentile95(() =>
    volt.market.localOrders({ area, side: 'sell', location: middle, radiusKm: 50, limit: 20 }),
  )
  return [
    valueRow('market.order-book-of-100000', 'ms p95', { value: book }, { atMost: 10 }),
    valueRow('market.local-orders-of-100000', 'ms p95', { value: local }, { atMost: 10 }),
  ]
}

async function percentile95(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let asked = 0; asked < questions; asked += 1) {
    const startedMs = performance.now()
    await ask()
    times.push(performance.now() - startedMs)
  }
  return times.toSorted((a, b) => a - b)[Math.ceil(0.95 * questions) - 1] ?? Number.NaN
}
