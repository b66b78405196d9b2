import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { objectId, quantity } from '../../core/fields.js'
import { geoPoint } from '../../core/geo-point.js'
import { distanceKm, earthRadiusKm } from '../matching/compatible.js'
import { largestDistanceKm, type MarketOrder, orderSides } from '../orders/order.js'
import { bestFirst, bookIndexOf, compareOrders } from './best-first.js'

export const localOrdersSchema = z.strictObject({
  /** The area. */
  area: objectId(),
  /** Orders that sell, or those that buy. */
  side: z.enum(orderSides),
  /** Around where. */
  location: geoPoint(),
  /** How far away at most, km. @default 50 */
  radiusKm: quantity(0, largestDistanceKm).default(50),
  /** How many at most. @default 50 */
  limit: z.int().min(1).max(500).default(50),
})
export type LocalOrdersQuestion = z.input<typeof localOrdersSchema>

/** An order with how far away it is. */
export interface LocalOrder {
  readonly order: MarketOrder
  /** km along a great circle. */
  readonly distanceKm: number
}

/** How many orders are read along their prices before they are looked for by place. */
const mostByPrice = 1_000

/**
 * The best orders around a place. Along the prices most of what is read is near, if most orders are; where too few of them are, those near are
 * few, and are found by their place: either way little is read.
 */
export async function localOrders(
  orders: EntityCollection<MarketOrder>,
  question: z.output<typeof localOrdersSchema>,
  gateMs: number,
): Promise<LocalOrder[]> {
  const { area, side, location, radiusKm, limit } = question
  const open = { area, side, isOpen: true, sequence: { $gte: 1 }, availableUntil: { $gt: new Date(gateMs) } }
  const isNear = nearnessOf(location, radiusKm)
  const within = { $geoWithin: { $centerSphere: [location.coordinates, radiusKm / earthRadiusKm] } }
  const alongPrices = [
    { $match: open },
    { $sort: bestFirst(side) },
    { $limit: mostByPrice },
    { $match: { location: within } },
  ]
  const reading = { hint: bookIndexOf(side), batchSize: limit }
  const found: LocalOrder[] = []
  for await (const order of orders.for('localOrders').streamAggregate<MarketOrder>(alongPrices, reading)) {
    const near = isNear(order)
    if (near !== undefined) found.push(near)
    if (found.length === limit) return found
  }
  const around = await orders.for('localOrders').find({ ...open, location: within }, { hint: placeIndex })
  return around
    .flatMap((order) => isNear(order) ?? [])
    .sort((a, b) => compareOrders(a.order, b.order))
    .slice(0, limit)
}

const placeIndex = { location: '2dsphere', side: 1, pricePerKwh: 1 } as const

/** Near enough for who asks, and who asks near enough for the order. */
function nearnessOf(location: z.output<ReturnType<typeof geoPoint>>, radiusKm: number) {
  return (order: MarketOrder): LocalOrder | undefined => {
    if (order.location === undefined) return undefined
    const km = distanceKm(location, order.location)
    return km <= Math.min(radiusKm, order.maximumDistanceKm ?? radiusKm) ? { order, distanceKm: km } : undefined
  }
}
