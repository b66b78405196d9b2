import { type AutoVolt, validateData } from '@autovolt/data'
import { z } from 'zod'
import { ofMember } from '../fleet-routes.js'
import type { Route } from '../http/router.js'
import type { LiveFeeds } from '../live-feeds.js'
import { readOwnMarket } from '../views/own-market.js'
import { quarterMs } from './offers.js'
import type { Neighbourhood } from './register.js'

export interface MarketParts {
  readonly volt: AutoVolt
  readonly feeds: LiveFeeds
  readonly neighbourhood: Neighbourhood
}

const decimal = z.string().max(20)
const placing = z.strictObject({
  side: z.enum(['buy', 'sell']),
  energyKwh: decimal,
  pricePerKwh: decimal,
  /** For so many quarter hours, from the next one on. */
  quarters: z.int().min(1).max(96),
  /** The page makes it before it asks, so that asking again is no second order. */
  key: z.string().min(8).max(64),
})
const cancelling = z.strictObject({ order: z.string().max(24) })

/** The API of the neighbourhood: each call asks the market as `volt.as(user)` lets its visitor, and for the visitor alone. */
export function marketRoutes({ volt, feeds, neighbourhood }: MarketParts): Route[] {
  return [
    ofMember('GET', 'neighbourhood/own', (visitor) => readOwnMarket(volt, visitor, neighbourhood)),
    ofMember('POST', 'neighbourhood/order', async (visitor, _, body) => {
      const { quarters, ...order } = validateData(placing, body, 'The order')
      const fromMs = Math.ceil(Date.now() / quarterMs) * quarterMs
      const place = neighbourhood.neighbours.find(({ user }) => user._id.equals(visitor.id))?.household.place
      const { _id } = await visitor.volt.market.place({
        ...order,
        area: neighbourhood.area._id,
        user: visitor.id,
        availableFrom: new Date(fromMs),
        availableUntil: new Date(fromMs + quarters * quarterMs),
        ...(place && { location: { type: 'Point' as const, coordinates: [...place] as [number, number] } }),
      })
      await feeds.refresh('neighbourhood')
      return { id: _id.toHexString() }
    }),
    ofMember('POST', 'neighbourhood/cancel', async (visitor, _, body) => {
      const { order } = validateData(cancelling, body, 'The request')
      await visitor.volt.market.cancel(order, visitor.id)
      await feeds.refresh('neighbourhood')
    }),
  ]
}
