import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { checkBooks } from './support/books.js'
import { anArea, aTrader, deposit, openMarket } from './support/market.js'

const database = testDatabase()
const orders = database.db.collection('market_orders')
const now = '2026-03-02T09:00:00Z'

it('fills nothing twice with 16 placers in 4 processes, of which two are killed and one is frozen', async () => {
  const { volt } = await openMarket(database, now)
  const area = await anArea(volt, { penaltyPerKwh: '0.01', priceRule: 'middle' })
  const users = await Promise.all(Array.from({ length: 12 }, () => aTrader(volt)))
  // Some run out of money on the way.
  for (const [at, user] of users.entries()) await deposit(volt, area, user, at < 3 ? '2' : '100000')
  const startTrader = async (name: string, count: number) => {
    const known = { MONGODB_URI: database.uri, DB_NAME: database.dbName, NOW: now, AREA: area.toHexString() }
    const env = { ...known, USERS: users.map((user) => user.toHexString()).join(), NAME: name, ORDERS: String(count) }
    const child = startChild(new URL('./processes/trader.ts', import.meta.url), { env })
    await child.next('ready', 120_000)
    child.send({ type: 'go' })
    return child
  }
  const children = await Promise.all(['a', 'b', 'c', 'd'].map((name) => startTrader(name, 60)))
  await eventually(
    'orders are taken in',
    async () => (await orders.countDocuments({ area, sequence: { $gte: 20 } })) > 0,
    { timeoutMs: 60_000 },
  )
  await children[0]?.kill()
  process.kill(children[1]?.pid ?? 0, 'SIGSTOP')
  await sleep(300)
  await children[2]?.kill()
  // What a killed process had placed or not is placed again under the same keys.
  const again = await Promise.all(['a', 'c'].map((name) => startTrader(name, 60)))
  await sleep(12_000)
  process.kill(children[1]?.pid ?? 0, 'SIGCONT')
  for (const child of [children[1], children[3], ...again]) await child?.next('placed', 240_000)
  await eventually('nothing waits', async () => (await orders.countDocuments({ area, due: { $exists: true } })) === 0, {
    timeoutMs: 60_000,
    everyMs: 200,
  })
  await Promise.all([...children, ...again].map((child) => child?.kill()))
  await volt.market.run()
  expect(await orders.countDocuments({ area })).toBe(4 * 4 * 60)
  expect(await orders.countDocuments({ area, status: 'completed' })).toBeGreaterThan(50)
  const sequences = await orders.distinct('sequence', { area })
  expect(sequences).toHaveLength(await orders.countDocuments({ area, sequence: { $exists: true } }))
  await checkBooks(database.db, area)
  expect(await volt.market.verify(area)).toMatchObject({ isValid: true })
}, 420_000)
