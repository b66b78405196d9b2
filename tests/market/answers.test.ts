import type { Document, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import { anArea, anOrder, aTrader, deposit, openMarket, type TestMarket } from './support/market.js'

const database = setUpDatabase()
let market: TestMarket
let [seller, buyer]: ObjectId[] = []
let area: ObjectId

beforeAll(async () => {
  market = await openMarket(database)
  const { volt } = market
  ;[seller, buyer] = [await aTrader(volt), await aTrader(volt)]
  area = await anArea(volt)
  await deposit(volt, area, buyer, '1000')
})

const at = (longitude: number, latitude = 0) => ({
  type: 'Point' as const,
  coordinates: [longitude, latitude] as [number, number],
})

async function sell(terms: Partial<Parameters<typeof anOrder>[0]>) {
  const { _id } = await market.volt.market.place(anOrder({ area, user: seller as ObjectId, side: 'sell', ...terms }))
  return _id
}

/** Whether the server reads indexes alone, and what it reads of orders is in their order. */
async function expectIndex(collection: string, run: () => Promise<unknown>): Promise<void> {
  const { db } = database
  await db.command({ profile: 2 })
  try {
    await run()
  } finally {
    await db.command({ profile: 0 })
  }
  const ns = `${db.databaseName}.${collection}`
  const seen: Document[] = await db
    .collection('system.profile')
    .find({ ns, op: { $in: ['query', 'command', 'getmore'] } })
    .toArray()
  await db.collection('system.profile').drop()
  expect(seen.length).toBeGreaterThan(0)
  for (const { planSummary, hasSortStage } of seen) {
    expect(planSummary).toMatch(/IXSCAN|IDHACK|DISTINCT_SCAN/)
    if (collection === 'market_orders') expect(hasSortStage ?? false).toBe(false)
  }
}

describe('answers of the market', () => {
  it('are the best local orders that are not over, as far as both sides want to go', async () => {
    const { volt, clock } = market
    area = await anArea(volt)
    const cheap = await sell({ pricePerKwh: '0.1', location: at(0.3) })
    const near = await sell({ pricePerKwh: '0.2', location: at(0.1) })
    await sell({ pricePerKwh: '0.05', location: at(0.3), maximumDistanceKm: 10 })
    await sell({ pricePerKwh: '0.05', location: at(1) })
    await sell({ pricePerKwh: '0.05' })
    const over = await sell({ pricePerKwh: '0.01', location: at(0), availableUntil: '2026-03-02T12:30:00Z' })
    await volt.market.run()
    const question = { area, side: 'sell' as const, location: at(0) }
    const ids = async () => (await volt.market.localOrders(question)).map(({ order }) => order._id)
    expect(await ids()).toEqual([over, cheap, near])
    // Nobody has ended it.
    clock.set('2026-03-02T12:20:00Z')
    expect(await ids()).toEqual([cheap, near])
    const [first] = await volt.market.localOrders({ ...question, limit: 1 })
    expect(first?.distanceKm).toBeCloseTo(33.36, 2)
    clock.set('2026-03-02T09:00:00Z')
    await expectIndex('market_orders', () => volt.market.localOrders(question))
  })

  it('are the few local ones among many elsewhere, found by their place', async () => {
    const { volt } = market
    area = await anArea(volt)
    const far = Array.from({ length: 1_000 }, () =>
      anOrder({ area, user: seller as ObjectId, side: 'sell', pricePerKwh: '0.1', location: at(90) }),
    )
    await volt.market.placeMany(far)
    const dear = await sell({ pricePerKwh: '0.3', location: at(0.001) })
    const cheaper = await sell({ pricePerKwh: '0.2', location: at(0) })
    await volt.market.run()
    // The same place: the cosine of it is a little more than one, and its arc no number.
    const found = await volt.market.localOrders({ area, side: 'sell', location: at(0) })
    expect(found.map(({ order }) => order._id)).toEqual([cheaper, dear])
    expect(found[0]?.distanceKm).toBe(0)
    await expect(volt.market.localOrders({ area, side: 'sell', location: at(181) })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })

  it('are the book by price, and what of it is open', async () => {
    const { volt } = market
    area = await anArea(volt)
    await deposit(volt, area, buyer as ObjectId, '1000')
    for (const pricePerKwh of ['0.3', '0.25', '0.25', '0.4']) await sell({ pricePerKwh, energyKwh: '2' })
    for (const pricePerKwh of ['0.1', '0.2', '0.25'])
      await volt.market.place(anOrder({ area, user: buyer as ObjectId, side: 'buy', pricePerKwh, energyKwh: '1' }))
    await volt.market.run()
    expect(await volt.market.orderBook({ area, depth: 2 })).toEqual({
      bids: [
        { pricePerKwh: '0.200000', energyKwh: '1.0000', orders: 1 },
        { pricePerKwh: '0.100000', energyKwh: '1.0000', orders: 1 },
      ],
      asks: [
        { pricePerKwh: '0.250000', energyKwh: '3.0000', orders: 2 },
        { pricePerKwh: '0.300000', energyKwh: '2.0000', orders: 1 },
      ],
    })
    await expectIndex('market_orders', () => volt.market.orderBook({ area }))
  })

  it('are prices by the hour, weighted by energy', async () => {
    const { volt, clock } = market
    area = await anArea(volt)
    await deposit(volt, area, buyer as ObjectId, '1000')
    const trade = async (pricePerKwh: string, energyKwh: string) => {
      await sell({ pricePerKwh, energyKwh })
      await volt.market.place(anOrder({ area, user: buyer as ObjectId, side: 'buy', pricePerKwh, energyKwh }))
      await volt.market.run()
    }
    await trade('0.1', '1')
    await trade('0.4', '2')
    clock.set('2026-03-02T10:30:00Z')
    await trade('0.5', '1')
    clock.set('2026-03-02T09:00:00Z')
    const question = { area, from: '2026-03-02T00:00:00Z', until: '2026-03-03T00:00:00Z' }
    const first = { trades: 2, energyKwh: '3.0000', lowestPricePerKwh: '0.100000', highestPricePerKwh: '0.400000' }
    expect(await volt.market.priceStatistics(question)).toEqual([
      { start: new Date('2026-03-02T09:00:00Z'), meanPricePerKwh: '0.300000', ...first },
      expect.objectContaining({ start: new Date('2026-03-02T10:00:00Z'), meanPricePerKwh: '0.500000' }),
    ])
    expect(await volt.market.priceStatistics({ ...question, step: 'day' })).toMatchObject([
      { meanPricePerKwh: '0.350000' },
    ])
    await expectIndex('market_transactions', () => volt.market.priceStatistics(question))
  })

  it('are what a user has and what their trades came to, also as CSV', async () => {
    const { volt, clock } = market
    area = await anArea(volt)
    const [user, other] = [await aTrader(volt), await aTrader(volt)]
    await deposit(volt, area, user, '10')
    await volt.market.place(anOrder({ area, user: other, side: 'sell', energyKwh: '1' }))
    await volt.market.place(anOrder({ area, user, side: 'buy', energyKwh: '1' }))
    await volt.market.run()
    expect(await volt.market.balances(user)).toEqual([
      { area, balance: '10.000000', reserved: '0.200000', available: '9.800000' },
    ])
    const question = { user, from: '2026-03-02T00:00:00Z', until: '2026-03-03T00:00:00Z' }
    const report = () => volt.market.report({ ...question, gridCo2KgPerKwh: '0.7' })
    expect(await report()).toMatchObject({ trades: 1, unsettled: 1, boughtKwh: '0.0000' })
    clock.set('2026-03-02T16:00:00Z')
    await volt.market.settle()
    clock.set('2026-03-02T09:00:00Z')
    // Nothing was delivered.
    expect(await report()).toMatchObject({
      trades: 1,
      unsettled: 0,
      boughtKwh: '0.0000',
      paid: '0.000000',
      avoidedCo2Kg: '0.000000',
    })
    let csv = ''
    for await (const piece of volt.market.taxExport(question)) csv += piece
    const lines = csv.trimEnd().split('\r\n')
    expect(lines[0]).toBe(
      'transaction,made_at,confirmed_at,type,status,role,other_user,energy_kwh,price_per_kwh,received,paid',
    )
    expect(lines.slice(1).map((line) => line.split(',').slice(3))).toEqual([
      ['energy_trade', 'confirmed', 'payer', other.toHexString(), '0.0000', '0.200000', '0.000000', '0.000000'],
      ['token_transfer', 'confirmed', 'payee', '', '', '', '10.000000', '0.000000'],
    ])
    await expectIndex('market_transactions', report)
  })
})
