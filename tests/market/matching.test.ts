import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import { anArea, anOrder, aTrader, deposit, openMarket, type TestMarket } from './support/market.js'

const database = setUpDatabase()
let market: TestMarket
let area: ObjectId

beforeAll(async () => {
  market = await openMarket(database)
})

type Terms = Partial<Parameters<typeof anOrder>[0]>

async function traders(count: number, money = '1000'): Promise<ObjectId[]> {
  const { volt } = market
  const users: ObjectId[] = []
  for (let made = 0; made < count; made += 1) {
    const user = await aTrader(volt)
    await deposit(volt, area, user, money)
    users.push(user)
  }
  return users
}

async function place(user: ObjectId | undefined, side: 'buy' | 'sell', terms: Terms = {}): Promise<ObjectId> {
  const { _id } = await market.volt.market.place(anOrder({ area, user: user as ObjectId, side, ...terms }))
  await market.volt.market.run()
  return _id
}

/** The trades of an order: energy, price, and the order on the other side. */
async function tradesOf(order: ObjectId) {
  const trades = await market.volt.market.tradesOf(order)
  return trades.map(({ energyKwh, pricePerKwh, buyOrder, sellOrder }) => ({
    energy: String(energyKwh),
    price: String(pricePerKwh),
    with: buyOrder?.equals(order) ? sellOrder : buyOrder,
  }))
}

describe('matching', () => {
  it('goes by price, then by the number, which a partial fill does not change', async () => {
    area = await anArea(market.volt)
    const [a, b, c, buyer] = await traders(4)
    const dear = await place(a, 'sell', { pricePerKwh: '0.3', energyKwh: '1' })
    const first = await place(b, 'sell', { pricePerKwh: '0.2', energyKwh: '2' })
    const second = await place(c, 'sell', { pricePerKwh: '0.2', energyKwh: '2' })
    const one = await place(buyer, 'buy', { pricePerKwh: '0.4', energyKwh: '1' })
    const two = await place(buyer, 'buy', { pricePerKwh: '0.4', energyKwh: '1' })
    const three = await place(buyer, 'buy', { pricePerKwh: '0.4', energyKwh: '2.5' })
    expect(await tradesOf(one)).toEqual([{ energy: '1.0000', price: '0.200000', with: first }])
    expect(await tradesOf(two)).toEqual([{ energy: '1.0000', price: '0.200000', with: first }])
    expect(await tradesOf(three)).toEqual([
      { energy: '2.0000', price: '0.200000', with: second },
      { energy: '0.5000', price: '0.300000', with: dear },
    ])
    expect(await market.volt.market.orders.get(dear)).toMatchObject({ status: 'partial', isOpen: true })
  })

  it('takes the middle of two prices where the area says so, rounded towards the order that was there first', async () => {
    area = await anArea(market.volt, { priceRule: 'middle' })
    const [seller, buyer] = await traders(2)
    await place(seller, 'sell', { pricePerKwh: '0.100000', energyKwh: '1' })
    const buy = await place(buyer, 'buy', { pricePerKwh: '0.200001', energyKwh: '1' })
    expect(await tradesOf(buy)).toMatchObject([{ price: '0.150000' }])
    await place(buyer, 'buy', { pricePerKwh: '0.200001', energyKwh: '1' })
    const sell = await place(seller, 'sell', { pricePerKwh: '0.100000', energyKwh: '1' })
    expect(await tradesOf(sell)).toMatchObject([{ price: '0.150001' }])
  })

  it('never meets an order of the same user, and leaves both where they are', async () => {
    area = await anArea(market.volt)
    const [own, other] = await traders(2)
    const sell = await place(own, 'sell', { energyKwh: '1' })
    const buy = await place(own, 'buy', { energyKwh: '1' })
    expect(await tradesOf(buy)).toEqual([])
    const later = await place(other, 'buy', { energyKwh: '1' })
    expect(await tradesOf(later)).toMatchObject([{ with: sell }])
    expect(await market.volt.market.orders.get(buy)).toMatchObject({ status: 'active' })
  })

  it('asks both sides how far away the other may be', async () => {
    area = await anArea(market.volt)
    const [seller, buyer] = await traders(2)
    const at = (longitude: number) => ({ type: 'Point' as const, coordinates: [longitude, 0] as [number, number] })
    // A degree of the equator is 111.19 km.
    await place(seller, 'sell', { location: at(0), maximumDistanceKm: 200, energyKwh: '1' })
    const tooFarForBuyer = await place(buyer, 'buy', { location: at(1), maximumDistanceKm: 111, energyKwh: '1' })
    const tooFarForSeller = await place(buyer, 'buy', { location: at(2), maximumDistanceKm: 500, energyKwh: '1' })
    const nowhere = await place(buyer, 'buy', { energyKwh: '1' })
    for (const order of [tooFarForBuyer, tooFarForSeller, nowhere]) expect(await tradesOf(order)).toEqual([])
    const near = await place(buyer, 'buy', { location: at(1), maximumDistanceKm: 112, energyKwh: '1' })
    expect(await tradesOf(near)).toHaveLength(1)
  })

  it('asks for one of the alternatives of what is required', async () => {
    area = await anArea(market.volt)
    const { volt } = market
    const [buyer] = await traders(1)
    const storage = await aTrader(volt, 'prosumer', { energyRole: 'storage', type: 'battery_storage' })
    const sun = await aTrader(volt)
    await place(storage, 'sell', { energyKwh: '1', pricePerKwh: '0.1' })
    const bySun = await place(sun, 'sell', { energyKwh: '3' })
    const renewable = await place(buyer, 'buy', { energyKwh: '1', requirements: [{ renewable: true }] })
    expect(await tradesOf(renewable)).toMatchObject([{ with: bySun }])
    const both = await place(buyer, 'buy', { energyKwh: '1', requirements: [{ renewable: true, storage: true }] })
    expect(await tradesOf(both)).toEqual([])
    const either = await place(buyer, 'buy', {
      energyKwh: '1',
      requirements: [{ renewable: true, storage: true }, { producer: sun }],
    })
    expect(await tradesOf(either)).toMatchObject([{ with: bySun }])
  })

  it('delivers in the time that both have, from the next quarter hour on', async () => {
    area = await anArea(market.volt)
    const { volt, clock } = market
    const [seller, buyer] = await traders(2)
    const window = (from: string, until: string) => ({
      availableFrom: `2026-03-02T${from}:00Z`,
      availableUntil: `2026-03-02T${until}:00Z`,
    })
    await place(seller, 'sell', { ...window('09:00', '11:00'), energyKwh: '1' })
    const never = await place(buyer, 'buy', { ...window('11:00', '12:00'), energyKwh: '1' })
    expect(await tradesOf(never)).toEqual([])
    clock.set('2026-03-02T09:00:01Z')
    const buy = await place(buyer, 'buy', { ...window('08:00', '10:00'), energyKwh: '0.5' })
    const [trade] = await volt.market.tradesOf(buy)
    expect(trade).toMatchObject({
      deliverFrom: new Date('2026-03-02T09:15:00Z'),
      deliverUntil: new Date('2026-03-02T10:00:00Z'),
    })
    // Nobody ends what is over: it meets nothing all the same.
    clock.set('2026-03-02T10:50:00Z')
    const late = await place(buyer, 'buy', { ...window('10:00', '12:00'), energyKwh: '0.5' })
    expect(await tradesOf(late)).toEqual([])
    clock.set('2026-03-02T09:00:00Z')
  })

  it('does not give energy away for nothing where a price rounds to zero', async () => {
    area = await anArea(market.volt)
    const [seller, buyer] = await traders(2)
    await place(seller, 'sell', { energyKwh: '0.0001', pricePerKwh: '0.000001' })
    const buy = await place(buyer, 'buy', { energyKwh: '1', pricePerKwh: '0.000001' })
    expect(await tradesOf(buy)).toEqual([])
  })

  it('fills one order with more than a batch holds', async () => {
    area = await anArea(market.volt)
    const { volt } = market
    const [buyer] = await traders(1)
    const sellers = await Promise.all(Array.from({ length: 3 }, () => aTrader(volt)))
    const users = Array.from({ length: 2_300 }, (_, at) => sellers[at % 3] as ObjectId)
    const orders = users.map((user) => anOrder({ area, user, side: 'sell', energyKwh: '0.1' }))
    for (let at = 0; at < orders.length; at += 1_000) await volt.market.placeMany(orders.slice(at, at + 1_000))
    await volt.market.run()
    const buy = await place(buyer, 'buy', { energyKwh: '230', pricePerKwh: '0.2' })
    expect(await volt.market.orders.get(buy)).toMatchObject({ status: 'completed' })
    expect(await tradesOf(buy)).toHaveLength(2_300)
  })
})
