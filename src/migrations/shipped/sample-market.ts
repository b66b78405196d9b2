import type { ObjectId } from 'mongodb'
import type { Clock } from '../../core/clock.js'
import type { Repository } from '../../core/repository/repository.js'
import type { Device, DeviceInput } from '../../devices/device.js'
import type { Market, OrderInput } from '../../market/index.js'
import { nextSlotMs, slotMs } from '../../market/slots.js'

export interface SampleMarketNeeds {
  readonly devices: Repository<Device, DeviceInput>
  readonly market: Market
  readonly clock: Clock
}

/** Who trades: one makes energy, the other uses it. */
export interface SampleTraders {
  readonly alice: ObjectId
  readonly bob: ObjectId
}

const areaName = 'Solar Street'
/** The window of an order is two hours. */
const windowMs = 8 * slotMs
const place = (longitude: number, latitude: number) => ({
  type: 'Point' as const,
  coordinates: [longitude, latitude] as [number, number],
})
const roof = place(73.8567, 18.5204)
const flat = place(73.8571, 18.5211)

/**
 * A solar neighbourhood: what makes and stores energy on a roof, what uses it next door, and an area in which both trade: money to begin with,
 * two orders that meet, and one that stays open. The market's matcher does the rest. What is there stays as it is, also an order that has ended.
 */
export async function sampleMarket({ alice, bob }: SampleTraders, needs: SampleMarketNeeds): Promise<void> {
  const { devices, market, clock } = needs
  const now = clock.now()
  const owned = [
    { externalId: 'sample-roof', name: 'Roof', type: 'solar_inverter', energyRole: 'production', owner: alice },
    { externalId: 'sample-battery', name: 'Battery', type: 'battery_storage', energyRole: 'storage', owner: alice },
    { externalId: 'sample-meter', name: 'Meter', type: 'smart_meter', energyRole: 'consumption', owner: bob },
  ] as const
  for (const device of owned) {
    const { externalId, owner } = device
    if ((await devices.findOne({ owner, externalId })) === null)
      await devices.create({ ...device, lastSignOfLifeAt: now })
  }
  const terms = { name: areaName, feeRate: '0.01', penaltyPerKwh: '0.02' }
  const { _id: area } = (await market.areas.findOne({ name: areaName })) ?? (await market.areas.create(terms))
  const deposits = [
    { to: alice, key: 'sample deposit alice', amount: '5' },
    { to: bob, key: 'sample deposit bob', amount: '20' },
  ]
  for (const deposit of deposits) {
    const known = await market.transactions.findOne({ area, key: deposit.key })
    if (known === null) await market.transfer({ area, type: 'token_transfer', ...deposit })
  }
  const fromMs = nextSlotMs(now.getTime() + slotMs)
  const window = { area, availableFrom: new Date(fromMs), availableUntil: new Date(fromMs + windowMs) }
  const orders: readonly OrderInput[] = [
    sell({ ...window, user: alice, energyKwh: '2.5', pricePerKwh: '0.12', location: roof, key: 'sample sell 1' }),
    sell({ ...window, user: alice, energyKwh: '4', pricePerKwh: '0.18', location: roof, key: 'sample sell 2' }),
    {
      ...window,
      user: bob,
      side: 'buy',
      energyKwh: '1.5',
      pricePerKwh: '0.15',
      location: flat,
      maximumDistanceKm: 50,
      key: 'sample buy 1',
    },
  ]
  for (const order of orders) {
    const known = await market.orders.findOne({ area, user: order.user, key: order.key })
    if (known === null) await market.place(order)
  }
}

function sell(order: Omit<OrderInput, 'side'>): OrderInput {
  return { ...order, side: 'sell' }
}
