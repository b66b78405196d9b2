import type { MarketOrder } from '@autovolt/data'
import fc from 'fast-check'
import type { ObjectId } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import { checkBooks } from './support/books.js'
import { anArea, aTrader, openMarket, type TestMarket } from './support/market.js'
import { NaiveMarket, type NaiveOrder } from './support/naive-market.js'

const database = setUpDatabase()
let market: TestMarket
const users: ObjectId[] = []
const startMs = Date.parse('2026-03-02T12:00:00Z')
const quarterMs = 900_000
/** A degree of the equator, on a sphere of 6371 km. */
const degreeKm = (6371 * Math.PI) / 180

beforeAll(async () => {
  market = await openMarket(database)
  for (let made = 0; made < 4; made += 1) users.push(await aTrader(market.volt))
})

const runs = process.env.AUTOVOLT_FULL === undefined ? 40 : 600

const anyOrder = fc.record({
  user: fc.integer({ min: 0, max: 3 }),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  // From the smallest to the largest that there is.
  energy: fc.oneof({ weight: 5, arbitrary: fc.bigInt(1n, 60_000n) }, fc.bigInt(1n, 10n ** 14n - 1n)),
  price: fc.oneof({ weight: 5, arbitrary: fc.bigInt(99_990n, 100_010n) }, fc.bigInt(1n, 10n ** 12n - 1n)),
  from: fc.integer({ min: 0, max: 5 }),
  length: fc.integer({ min: 1, max: 6 }),
  km: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  within: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
})
type AnyOrder = typeof anyOrder extends fc.Arbitrary<infer Order> ? Order : never
type Step = { readonly place: AnyOrder } | { readonly cancel: number } | { readonly quarters: number } | 'match'

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyOrder.map((place) => ({ place })) },
  fc.nat({ max: 30 }).map((cancel) => ({ cancel })),
  fc.integer({ min: 1, max: 2 }).map((quarters) => ({ quarters })),
  { weight: 2, arbitrary: fc.constant('match' as const) },
)

const text = (units: bigint, places: number) => {
  const digits = units.toString().padStart(places + 1, '0')
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`
}
const units = (decimal: unknown) => BigInt(String(decimal).replace('.', ''))

it('any interleaving comes to what the plainest market comes to, and conserves energy and money', async () => {
  const terms = {
    isMiddle: fc.boolean(),
    penalty: fc.constantFrom(0n, 7n, 50_000n),
    money: fc.constantFrom(0n, 5_000_000n, 10n ** 17n),
  }
  const property = fc.asyncProperty(fc.record(terms), fc.array(anyStep, { maxLength: 40 }), async (area, steps) => {
    await compare(area, steps)
  })
  await fc.assert(property, { numRuns: runs })
}, 600_000)

interface Terms {
  readonly isMiddle: boolean
  readonly penalty: bigint
  readonly money: bigint
}

async function compare({ isMiddle, penalty, money }: Terms, steps: readonly Step[]): Promise<void> {
  const { volt, clock } = market
  const naive = new NaiveMarket(penalty, isMiddle)
  const area = await anArea(volt, { priceRule: isMiddle ? 'middle' : 'resting', penaltyPerKwh: text(penalty, 6) })
  for (const user of money > 0n ? users : []) {
    await volt.market.transfer({
      area,
      type: 'token_transfer',
      to: user,
      amount: text(money, 6),
      key: user.toHexString(),
    })
    naive.money.set(user.toHexString(), money)
  }
  const ids = new Map<string, ObjectId>()
  let quarter = 0
  clock.set(new Date(startMs).toISOString())
  for (const step of [...steps, 'match' as const]) {
    if (step === 'match') {
      await volt.market.run()
      naive.run(quarter)
    } else if ('place' in step) {
      const order = naiveOrder(step.place, `order ${ids.size}`)
      const { _id } = await volt.market.place(orderInput(area, order))
      ids.set(order.key, _id)
      naive.place(order)
    } else if ('cancel' in step) {
      const order = naive.orders[step.cancel]
      if (order === undefined) continue
      await volt.market.cancel(ids.get(order.key) ?? '', order.user).catch((error: { code?: string }) => {
        if (error.code !== 'CONFLICT') throw error
      })
      naive.cancel(order.key)
    } else {
      quarter += step.quarters
      clock.set(new Date(startMs + quarter * quarterMs).toISOString())
    }
  }
  await expectSame(area, naive, ids)
}

function naiveOrder({ user, from, length, ...order }: AnyOrder, key: string): NaiveOrder {
  const within = order.km === undefined ? undefined : order.within
  return { ...order, within, key, user: users[user]?.toHexString() ?? '', from, until: from + length }
}

function orderInput(area: ObjectId, { key, user, side, energy, price, from, until, km, within }: NaiveOrder) {
  const place =
    km === undefined
      ? {}
      : { location: { type: 'Point' as const, coordinates: [km / degreeKm, 0] as [number, number] } }
  // A little more than the whole number that the other market counts with: sines are not exact.
  const distance = within === undefined ? {} : { maximumDistanceKm: within + 1e-6 }
  const at = (quarters: number) => new Date(startMs + quarters * quarterMs)
  return {
    ...{ area, user, side, key, energyKwh: text(energy, 4), pricePerKwh: text(price, 6) },
    ...{ availableFrom: at(from), availableUntil: at(until), ...place, ...distance },
  }
}

async function expectSame(area: ObjectId, naive: NaiveMarket, ids: ReadonlyMap<string, ObjectId>): Promise<void> {
  const { volt } = market
  const orders = new Map<string, MarketOrder>()
  for await (const order of volt.market.orders.stream({ area })) orders.set(order.key, order)
  const found = naive.orders.map(({ key }) => ({
    status: orders.get(key)?.status,
    filled: units(orders.get(key)?.filledKwh),
  }))
  expect(found).toEqual(naive.orders.map(({ status, filled }) => ({ status, filled })))
  const keyOf = new Map([...ids].map(([key, id]) => [id.toHexString(), key]))
  const trades = await volt.market.transactions.find({ area, type: 'energy_trade' }, { sort: { _id: 1 }, limit: 1_000 })
  const shown = trades.map((trade) => ({
    buy: keyOf.get(trade.buyOrder?.toHexString() ?? ''),
    sell: keyOf.get(trade.sellOrder?.toHexString() ?? ''),
    energy: units(trade.energyKwh),
    price: units(trade.pricePerKwh),
    amount: units(trade.amount),
    from: ((trade.deliverFrom?.getTime() ?? 0) - startMs) / quarterMs,
    until: ((trade.deliverUntil?.getTime() ?? 0) - startMs) / quarterMs,
  }))
  expect(shown).toEqual(naive.trades)
  for (const { buy, sell, price } of shown) {
    expect(price <= units(orders.get(buy ?? '')?.pricePerKwh)).toBe(true)
    expect(price >= units(orders.get(sell ?? '')?.pricePerKwh)).toBe(true)
  }
  const books = await checkBooks(database.db, area)
  for (const user of users) expect(books.free.get(user.toHexString()) ?? 0n).toBe(naive.free(user.toHexString()))
}
