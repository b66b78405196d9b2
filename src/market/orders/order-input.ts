import { createHash } from 'node:crypto'
import { z } from 'zod'
import { instant, objectId, quantity } from '../../core/fields.js'
import { geoPoint } from '../../core/geo-point.js'
import { decimalIn, energyPlaces, moneyPlaces } from '../decimal.js'
import { isOnGrid, longestWindowMs } from '../slots.js'
import { energyRange, largestDistanceKm, orderSides, priceRange, requirement } from './order.js'

const onGrid = () => instant().refine(isOnGrid, { error: 'expected a quarter hour of UTC' })

export const orderInputSchema = z
  .strictObject({
    /** The area in which it is to meet others. */
    area: objectId(),
    /** Whose it is. */
    user: objectId(),
    /** Whether it buys or sells. */
    side: z.enum(orderSides),
    /** kWh, at most 4 decimals, such as `'2.5'`. */
    energyKwh: decimalIn(energyPlaces, energyRange),
    /** For each kWh: what is at most paid, or at least asked; at most 6 decimals. */
    pricePerKwh: decimalIn(moneyPlaces, priceRange),
    /** From when on the energy is wanted or there: a quarter hour of UTC. */
    availableFrom: onGrid(),
    /** Until when: a quarter hour of UTC, at most a week later. */
    availableUntil: onGrid(),
    /** Where it is. */
    location: geoPoint().optional(),
    /** How far away the other side may be, km. @default anywhere */
    maximumDistanceKm: quantity(0, largestDistanceKm).optional(),
    /** What a buyer asks of the seller: one of these is enough, and of one all has to hold. @default nothing */
    requirements: z.array(requirement()).min(1).max(20).optional(),
    /** The same key of the same user and area again is the same order: make it before the first attempt, and keep it. */
    key: z.string().min(1).max(200),
  })
  .check(({ value, issues }) => {
    const lengthMs = value.availableUntil.getTime() - value.availableFrom.getTime()
    const refuse = (field: keyof typeof value, message: string) =>
      issues.push({ code: 'custom', path: [field], message, input: value })
    if (lengthMs <= 0) refuse('availableUntil', 'expected a time after availableFrom')
    if (lengthMs > longestWindowMs) refuse('availableUntil', 'expected at most a week after availableFrom')
    if (value.side === 'sell' && value.requirements !== undefined) refuse('requirements', 'is for buyers')
    if (value.maximumDistanceKm !== undefined && value.location === undefined)
      refuse('location', 'is needed where there is a maximumDistanceKm')
  })

/** Order input: what is asked of the market. */
export type OrderInput = z.input<typeof orderInputSchema>
export type ParsedOrder = z.output<typeof orderInputSchema>

/** The same for the same request, in whatever form its values were given. */
export function requestHashOf(order: ParsedOrder): string {
  const { energyKwh, pricePerKwh, requirements = [], ...others } = order
  const texts = [energyKwh.toString(), pricePerKwh.toString()]
  const { area, user, side, availableFrom, availableUntil, location, maximumDistanceKm } = others
  const wanted = requirements.map(({ renewable, storage, producer }) => [renewable, storage, producer?.toHexString()])
  const place = [location?.coordinates, maximumDistanceKm]
  const request = [area.toHexString(), user.toHexString(), side, texts, availableFrom, availableUntil, place, wanted]
  return createHash('sha256').update(JSON.stringify(request)).digest('hex')
}
