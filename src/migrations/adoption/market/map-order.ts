import type { Document } from 'mongodb'
import { decimalOf, energyPlaces, moneyPlaces, reserveOf } from '../../../market/decimal.js'
import { nextSlotMs, slotMs } from '../../../market/slots.js'
import { instantOf } from '../map/solchain.js'
import { given, isGiven } from '../map/values.js'
import { exactOf, exactOrNone } from './exact-number.js'
import { identityOf, type MarketParts, type OrderRow, userIn } from './market-row.js'

/** Decimals to which a total is compared: the product of an energy and a price has 10. */
export const comparedPlaces = 20
const unknownTime = 'a time in a form that is not known'

/** What a row of `trading` becomes: an order that has ended, or why it becomes none. It is history, so nothing is reserved for it and nobody matches it. */
export function orderOf(row: Document, parts: MarketParts): OrderRow | string {
  if (!isGiven(row._id)) return 'it has no id'
  const side = sideOf(row, parts)
  if (side === undefined) return 'an offer_type that is not known'
  const seller = userIn(row.seller_id, parts)
  const buyer = userIn(row.buyer_id, parts)
  const [user, other] = side === 'sell' ? [seller, buyer] : [buyer, seller]
  if (!user || other === undefined) return 'of a user that is not there'
  const worth = worthOf(row)
  if (typeof worth === 'string') return worth
  if (other?.equals(user)) return 'with oneself'
  const times = timesOf(row)
  if (typeof times === 'string') return times
  const end = endOf(row, times, other !== null, parts)
  if (typeof end === 'string') return end
  const { energy, price } = worth
  const { createdAt, expiresAt } = times
  const fromMs = Math.floor(createdAt.getTime() / slotMs) * slotMs
  const untilMs = nextSlotMs(Math.max((expiresAt ?? end.endedAt ?? createdAt).getTime(), fromMs + 1))
  const fields = {
    ...identityOf(row, 'trading', parts),
    area: parts.area,
    user,
    side,
    energyKwh: decimalOf(energy, energyPlaces),
    pricePerKwh: decimalOf(price, moneyPlaces),
    totalValue: decimalOf(reserveOf(energy, price), moneyPlaces),
    availableFrom: new Date(fromMs),
    availableUntil: new Date(untilMs),
    status: end.status,
    isOpen: false,
    filledKwh: decimalOf(end.status === 'completed' ? energy : 0n, energyPlaces),
    reservedAmount: decimalOf(0n, moneyPlaces),
    ...given('endedAt', end.endedAt),
  }
  return { fields, createdAt, notes: [] }
}

/** In units: of energy, of the price, and of what both come to with 10 decimals. */
export interface Worth {
  readonly energy: bigint
  readonly price: bigint
}

/** What a row trades, which agrees with the total that it names; or why it cannot be used. */
export function worthOf({ energy_amount, price_per_kwh, total_price }: Document): Worth | string {
  const energy = exactOf(energy_amount, energyPlaces, 'energy_amount')
  if (typeof energy === 'string') return energy
  const price = exactOf(price_per_kwh, moneyPlaces, 'price_per_kwh')
  if (typeof price === 'string') return price
  const total = exactOrNone(total_price, comparedPlaces, 'total_price')
  if (typeof total === 'string') return total
  return total === undefined || isWorth({ energy, price }, total)
    ? { energy, price }
    : 'the total is not amount by price'
}

/**
 * Whether an amount is nearer to what was traded than a unit of money: what was computed in doubles is a little beside it.
 * @param amount With 20 decimals.
 */
export function isWorth({ energy, price }: Worth, amount: bigint): boolean {
  const worth = energy * price * 10n ** BigInt(comparedPlaces - energyPlaces - moneyPlaces)
  const difference = worth - amount
  const unit = 10n ** BigInt(comparedPlaces - moneyPlaces)
  return difference < unit && -difference < unit
}

function sideOf(row: Document, { meaningOf }: MarketParts): 'buy' | 'sell' | undefined {
  const { offer_type, seller_id, buyer_id } = row
  if (!isGiven(offer_type)) {
    if (isGiven(seller_id) && !isGiven(buyer_id)) return 'sell'
    return isGiven(buyer_id) && !isGiven(seller_id) ? 'buy' : undefined
  }
  const side = meaningOf('trading', 'offer_type', offer_type)
  return side === 'buy' || side === 'sell' ? side : undefined
}

interface Times {
  readonly createdAt: Date
  readonly expiresAt: Date | undefined
  readonly completedAt: Date | undefined
}

function timesOf(row: Document): Times | string {
  const createdAt = instantOf(row.created_at)
  const isKnown = ['expires_at', 'matched_at', 'completed_at'].every(
    (name) => !isGiven(row[name]) || instantOf(row[name]) !== undefined,
  )
  if (createdAt === undefined || !isKnown) return unknownTime
  const expiresAt = instantOf(row.expires_at)
  if (expiresAt !== undefined && expiresAt < createdAt) return 'expired before it was made'
  return { createdAt, expiresAt, completedAt: instantOf(row.completed_at) ?? instantOf(row.matched_at) }
}

interface End {
  readonly status: 'completed' | 'cancelled' | 'expired'
  readonly endedAt: Date | undefined
}

/** How it has ended. What has not is taken once it has: nothing is reserved for it here, so nobody could meet it. */
function endOf(
  { status }: Document,
  { expiresAt, completedAt }: Times,
  hasOther: boolean,
  { meaningOf, nowMs }: MarketParts,
): End | string {
  const isOver = expiresAt !== undefined && expiresAt.getTime() <= nowMs
  switch (meaningOf('trading', 'status', status)) {
    case 'completed':
      return hasOther ? { status: 'completed', endedAt: completedAt } : 'completed without an other side'
    case 'cancelled':
      return { status: 'cancelled', endedAt: completedAt }
    case 'expired':
      return { status: 'expired', endedAt: expiresAt }
    case 'offered':
      return isOver
        ? { status: 'expired', endedAt: expiresAt }
        : 'an offer that is still open. Next: place it here with volt.market.place, or adopt again once it has ended'
    case 'undecided':
      return 'a trade that has not ended. Next: adopt again once it is completed or cancelled'
    default:
      return 'a status that is not known'
  }
}
