import type { OrderInput } from '@autovolt/data'
import type { Random } from '../simulator/random.js'
import { mayBe } from './households.js'
import { surplusAt } from './meters.js'
import type { Neighbour, Neighbourhood } from './register.js'

export const quarterMs = 15 * 60_000
/** ₹ for each kWh: between what the grid pays for it and what it takes. */
const prices = { sell: [4.7, 6.3], buy: [4, 5.4] } as const
const leastKwh = 0.02

/** What a neighbour comes up with at an instant: to sell of what there will be, or to buy what will be missing. */
export function offerOf(
  { area, neighbours }: Neighbourhood,
  random: Random,
  at: Date,
  key: string,
  longestQuarters: number,
): OrderInput {
  const side = random.chance(0.5) ? 'sell' : 'buy'
  const neighbour = random.pick(neighbours.filter(({ household }) => mayBe(side, household)))
  const quarters = random.integer(1, longestQuarters)
  const fromMs = Math.ceil(at.getTime() / quarterMs) * quarterMs
  const [low, high] = prices[side]
  return {
    area: area._id,
    user: neighbour.user._id,
    side,
    energyKwh: energyOf(neighbour, random, fromMs, quarters).toFixed(4),
    // Steps of ten paise, so that prices are shared.
    pricePerKwh: (Math.round(random.between(low, high) * 10) / 10).toFixed(2),
    availableFrom: new Date(fromMs),
    availableUntil: new Date(fromMs + quarters * quarterMs),
    location: { type: 'Point', coordinates: [...neighbour.household.place] },
    maximumDistanceKm: random.pick([1, 2, 5]),
    ...(side === 'buy' && random.chance(0.2) && { requirements: [{ renewable: true as const }] }),
    key,
  }
}

/** A part of what is there or missing, as somebody guesses it who does not know the clouds. */
function energyOf({ meters }: Neighbour, random: Random, fromMs: number, quarters: number): number {
  const middleMs = fromMs + (quarters * quarterMs) / 2
  const kwh = (Math.abs(surplusAt(meters, middleMs)) / 1_000) * (quarters / 4)
  return Math.max(leastKwh * quarters, kwh * random.between(0.15, 0.8))
}
