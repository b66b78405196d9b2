import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { objectId } from '../../core/fields.js'
import { energyPlaces, textOf, unitsOf } from '../decimal.js'
import type { MarketOrder, OrderSide } from '../orders/order.js'
import { bestFirst, bookIndexOf } from './best-first.js'

export const orderBookSchema = z.strictObject({
  /** The area. */
  area: objectId(),
  /** How many prices of each side. @default 10 */
  depth: z.int().min(1).max(100).default(10),
})
export type OrderBookQuestion = z.input<typeof orderBookSchema>

/** A price of the book. */
export interface BookLevel {
  readonly pricePerKwh: string
  /** What is open at this price, kWh. */
  readonly energyKwh: string
  /** By how many orders. */
  readonly orders: number
}

/** Order book: what is open in an area, the best prices first. Distances and requirements may keep two orders apart whose prices cross. */
export interface OrderBook {
  readonly bids: readonly BookLevel[]
  readonly asks: readonly BookLevel[]
}

type Row = Pick<MarketOrder, 'pricePerKwh' | 'energyKwh' | 'filledKwh'>

/** Reads along an index, no further than the depth. What it is ordered by never changes, so no order is met twice that is filled meanwhile. */
export async function orderBook(
  orders: EntityCollection<MarketOrder>,
  { area, depth }: z.output<typeof orderBookSchema>,
  gateMs: number,
): Promise<OrderBook> {
  const levels = async (side: OrderSide) => {
    const open = { area, side, isOpen: true, sequence: { $gte: 1 }, availableUntil: { $gt: new Date(gateMs) } }
    const projection = { _id: 0, pricePerKwh: 1, energyKwh: 1, filledKwh: 1 }
    const reading = { sort: bestFirst(side), projection, hint: bookIndexOf(side), batchSize: 250 }
    const found: { price: string; energy: bigint; orders: number }[] = []
    for await (const { pricePerKwh, energyKwh, filledKwh } of orders.for('orderBook').stream<Row>(open, reading)) {
      const price = pricePerKwh.toString()
      const rest = unitsOf(energyKwh, energyPlaces) - unitsOf(filledKwh, energyPlaces)
      const last = found.at(-1)
      if (last?.price === price) {
        last.energy += rest
        last.orders += 1
      } else if (found.length === depth) break
      else found.push({ price, energy: rest, orders: 1 })
    }
    return found.map(({ price, energy, orders: count }) => ({
      pricePerKwh: price,
      energyKwh: textOf(energy, energyPlaces),
      orders: count,
    }))
  }
  const [bids, asks] = await Promise.all([levels('buy'), levels('sell')])
  return { bids, asks }
}
