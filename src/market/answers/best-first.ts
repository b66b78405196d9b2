import { moneyPlaces, unitsOf } from '../decimal.js'
import type { MarketOrder, OrderSide } from '../orders/order.js'

/** The order in which those of a side are matched. */
export function bestFirst(side: OrderSide): { readonly pricePerKwh: 1 | -1; readonly sequence: 1 } {
  return { pricePerKwh: side === 'sell' ? 1 : -1, sequence: 1 }
}

/** The index that has them in this order. */
export function bookIndexOf(side: OrderSide) {
  return { area: 1, side: 1, ...bestFirst(side), availableUntil: 1 } as const
}

/** The same for orders of one side that were read otherwise. */
export function compareOrders(a: MarketOrder, b: MarketOrder): number {
  const [priceA, priceB] = [a, b].map(({ pricePerKwh }) => unitsOf(pricePerKwh, moneyPlaces))
  if (priceA === undefined || priceB === undefined || priceA === priceB) return (a.sequence ?? 0) - (b.sequence ?? 0)
  return priceA < priceB === (a.side === 'sell') ? -1 : 1
}
