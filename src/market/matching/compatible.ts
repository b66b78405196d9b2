import type { GeoPoint } from '../../core/geo-point.js'
import type { OrderSource, Requirement } from '../orders/order.js'

/** An order as matching sees it. Energies and prices are whole units, times epoch milliseconds. */
export interface Offer {
  readonly id: string
  readonly user: string
  readonly side: 'buy' | 'sell'
  readonly price: bigint
  readonly fromMs: number
  readonly untilMs: number
  readonly location: GeoPoint | undefined
  readonly maximumDistanceKm: number | undefined
  readonly requirements: readonly Requirement[]
  readonly source: OrderSource | undefined
}

/** When two orders can be delivered, if they meet in time. */
export interface Window {
  readonly fromMs: number
  readonly untilMs: number
}

/** The radius of the earth as a sphere, km. */
export const earthRadiusKm = 6371

/** The time in which both have the energy, from the gate on; undefined if there is none. */
export function overlapOf(a: Offer, b: Offer, gateMs: number): Window | undefined {
  const fromMs = Math.max(a.fromMs, b.fromMs, gateMs)
  const untilMs = Math.min(a.untilMs, b.untilMs)
  return fromMs < untilMs ? { fromMs, untilMs } : undefined
}

/** Whether two orders of opposite sides may meet, their prices and times left out: not one's own, near enough for both, and as is required. */
export function areCompatible(a: Offer, b: Offer): boolean {
  if (a.user === b.user) return false
  const [buy, sell] = a.side === 'buy' ? [a, b] : [b, a]
  return isNear(a, b) && isAsRequired(buy.requirements, sell)
}

function isNear(a: Offer, b: Offer): boolean {
  const limits = [a.maximumDistanceKm, b.maximumDistanceKm].filter((limit) => limit !== undefined)
  if (limits.length === 0) return true
  // Of an order without a place nobody knows how far away it is.
  if (a.location === undefined || b.location === undefined) return false
  return distanceKm(a.location, b.location) <= Math.min(...limits)
}

function isAsRequired(requirements: readonly Requirement[], { user, source }: Offer): boolean {
  if (requirements.length === 0) return true
  return requirements.some(
    ({ renewable, storage, producer }) =>
      (renewable === undefined || source?.renewable === true) &&
      (storage === undefined || source?.storage === true) &&
      (producer === undefined || producer.toHexString() === user),
  )
}

/** The distance along a great circle, by the haversine formula: the cosine rule loses small distances, and can leave the range of acos. */
export function distanceKm(a: GeoPoint, b: GeoPoint): number {
  const [lngA, latA] = radians(a)
  const [lngB, latB] = radians(b)
  const h = Math.sin((latB - latA) / 2) ** 2 + Math.cos(latA) * Math.cos(latB) * Math.sin((lngB - lngA) / 2) ** 2
  return 2 * earthRadiusKm * Math.asin(Math.sqrt(Math.min(1, h)))
}

function radians({ coordinates: [longitude, latitude] }: GeoPoint): [number, number] {
  return [(longitude * Math.PI) / 180, (latitude * Math.PI) / 180]
}
