import { Decimal128 } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { aDevice } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { anArea, anOrder, aTrader, deposit, openMarket, type TestMarket } from './support/market.js'

const database = setUpDatabase()
let market: TestMarket

beforeAll(async () => {
  market = await openMarket(database)
})

const expectRefusal = (attempt: Promise<unknown>, path: string) =>
  expect(attempt).rejects.toMatchObject({ code: 'VALIDATION', issues: [expect.objectContaining({ path })] })

describe('an order', () => {
  it('keeps its decimals exactly, from texts and from decimals', async () => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const order = await volt.market.place(
      anOrder({ area, user, side: 'sell', energyKwh: '9999999999.9999', pricePerKwh: Decimal128.fromString('0.1000') }),
    )
    const stored = await volt.market.orders.get(order._id)
    expect(stored).toMatchObject({
      status: 'active',
      isOpen: true,
      due: 'intake',
      source: { renewable: true, storage: false },
    })
    expect([stored.energyKwh, stored.pricePerKwh, stored.totalValue, stored.filledKwh].map(String)).toEqual([
      '9999999999.9999',
      '0.100000',
      '999999999.999990',
      '0.0000',
    ])
  })

  it.each([
    ['energyKwh', 2.5],
    ['energyKwh', '1e3'],
    ['energyKwh', 'NaN'],
    ['energyKwh', Decimal128.fromString('NaN')],
    ['pricePerKwh', 0.2],
    ['availableFrom', '2026-03-02T12:01:00Z'],
    ['availableUntil', '2026-03-02T12:00:00Z'],
    ['availableUntil', '2026-03-09T12:15:00Z'],
    ['requirements', [{ nuclear: true }]],
    ['maximumDistanceKm', -1],
    ['user', { $gt: '' }],
  ])('is refused with %s of %s', async (field, value) => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const order = anOrder({ area, user, side: 'buy' })
    const attempt = volt.market.place({ ...order, [field]: value } as never)
    await expect(attempt).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(attempt).rejects.toThrow(field)
  })

  it.each([
    ['energyKwh', '1.00001'],
    ['energyKwh', '0'],
    ['energyKwh', '-1'],
    ['pricePerKwh', '0.1234567'],
    ['pricePerKwh', '0'],
  ])('is refused with %s of %s, by the rule that the server has too', async (field, value) => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const order = { ...anOrder({ area, user, side: 'buy' }), [field]: value }
    await expectRefusal(volt.market.place(order), field)
  })

  it('is placed once for each key, by any number at once', async () => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const order = anOrder({ area, user, side: 'sell', key: 'noon' })
    const placed = await Promise.all(Array.from({ length: 12 }, () => volt.market.place(order)))
    expect(new Set(placed.map(({ _id }) => _id.toHexString())).size).toBe(1)
    expect(await volt.market.orders.count({ area })).toBe(1)
    const same = await volt.market.place({ ...order, energyKwh: '2.5000', area: area.toHexString() })
    expect(same._id).toEqual(placed[0]?._id)
    await expect(volt.market.place({ ...order, energyKwh: '2.6' })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('keeps its refusal: the same key again does not buy once there is money', async () => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const order = anOrder({ area, user, side: 'buy', key: 'evening' })
    await volt.market.run()
    await volt.market.place(order)
    expect(await volt.market.run()).toMatchObject({ refused: 1, taken: 0 })
    await deposit(volt, area, user, '100')
    expect(await volt.market.place(order)).toMatchObject({ status: 'cancelled', reason: 'insufficient_funds' })
  })

  it('is for those whose type and devices allow it', async () => {
    const { volt } = market
    const area = await anArea(volt)
    const consumer = await aTrader(volt, 'consumer', {})
    const producer = await aTrader(volt, 'producer')
    const prosumer = await aTrader(volt, 'prosumer', { energyRole: 'storage', type: 'battery_storage' })
    const withoutProduction = await aTrader(volt, 'prosumer', {})
    const { _id: without } = await volt.users.create({
      name: 'No device',
      email: 'none@example.org',
      userType: 'prosumer',
    })
    await volt.devices.create(aDevice({ owner: without, energyRole: 'production', type: 'solar_inverter' }))
    const place = (user: typeof area, side: 'buy' | 'sell') => volt.market.place(anOrder({ area, user, side }))
    await place(consumer, 'buy')
    await place(producer, 'sell')
    await place(prosumer, 'buy')
    expect(await place(prosumer, 'sell')).toMatchObject({ source: { renewable: false, storage: true } })
    await expectRefusal(place(consumer, 'sell'), 'user')
    await expectRefusal(place(producer, 'buy'), 'user')
    await expectRefusal(place(withoutProduction, 'sell'), 'user')
    await expectRefusal(place(without, 'sell'), 'user')
    await volt.users.update(consumer, { status: 'suspended' })
    await expectRefusal(place(consumer, 'buy'), 'user')
  })

  it('is refused in an area that is not there, and holds nobody up in one that is there no more', async () => {
    const { volt } = market
    const [area, gone, user] = [await anArea(volt), await anArea(volt), await aTrader(volt)]
    const nowhere = anOrder({ area: user, user, side: 'sell' })
    await expect(volt.market.place(nowhere)).rejects.toMatchObject({ code: 'NOT_FOUND', entity: 'market area' })
    await volt.market.place(anOrder({ area: gone, user, side: 'sell' }))
    await volt.market.areas.delete(gone)
    const { _id } = await volt.market.place(anOrder({ area, user, side: 'sell' }))
    await expect(volt.market.run()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await volt.market.orders.get(_id)).toMatchObject({ sequence: 1 })
    await database.db.collection('market_orders').deleteMany({ area: gone })
  })

  it('is taken back once, and only by its owner', async () => {
    const { volt } = market
    const [area, user, other] = [await anArea(volt), await aTrader(volt), await aTrader(volt)]
    await volt.market.run()
    const { _id } = await volt.market.place(anOrder({ area, user, side: 'sell' }))
    await expect(volt.market.cancel(_id, other)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await volt.market.cancel(_id, user)).toMatchObject({
      status: 'cancelled',
      reason: 'withdrawn',
      isOpen: false,
    })
    expect(await volt.market.cancel(_id, user)).toMatchObject({ status: 'cancelled' })
    expect(await volt.market.run()).toMatchObject({ released: 1, taken: 0 })
    expect((await volt.market.orders.get(_id)).due).toBeUndefined()
  })

  it('expires at the last quarter hour in which it could be delivered, whether it was taken in or not', async () => {
    const { volt, clock } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const { _id: taken } = await volt.market.place(anOrder({ area, user, side: 'sell' }))
    await volt.market.run()
    const { _id: waiting } = await volt.market.place(anOrder({ area, user, side: 'sell' }))
    clock.set('2026-03-02T13:45:00Z')
    await volt.market.run()
    expect(await volt.market.orders.get(waiting)).toMatchObject({ status: 'active' })
    clock.set('2026-03-02T13:45:00.001Z')
    await volt.market.run()
    for (const id of [taken, waiting])
      expect(await volt.market.orders.get(id)).toMatchObject({ status: 'expired', isOpen: false })
    await expect(volt.market.cancel(taken, user)).rejects.toMatchObject({ code: 'CONFLICT', fields: ['status'] })
    clock.set('2026-03-02T09:00:00Z')
  })

  it('is held to its energy by the server, whoever writes', async () => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    const { _id } = await volt.market.place(anOrder({ area, user, side: 'sell' }))
    const orders = database.db.collection('market_orders')
    for (const filledKwh of ['2.5001', '-0.0001', 'NaN'].map((text) => Decimal128.fromString(text)))
      await expect(orders.updateOne({ _id }, { $set: { filledKwh, status: 'partial' } })).rejects.toMatchObject({
        code: 121,
      })
    await expect(orders.updateOne({ _id }, { $set: { filledKwh: 1 } })).rejects.toMatchObject({ code: 121 })
  })
})
