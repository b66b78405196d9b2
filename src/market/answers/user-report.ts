import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { instant, objectId } from '../../core/fields.js'
import type { Counter } from '../accounts/account.js'
import type { MarketCollections } from '../collections.js'
import { amountOf, decimalIn, energyPlaces, moneyPlaces, textOf, unitsOf } from '../decimal.js'
import { settledOutcome } from '../settlement/outcome.js'
import { isHistory, userTransactions } from './settled-trades.js'

export const userReportSchema = z.strictObject({
  /** The user. */
  user: objectId(),
  /** Trades that were made from then on. */
  from: instant(),
  /** Until before then. */
  until: instant(),
  /** What the grid emits for a kWh, kg of CO2, at most 6 decimals; what comes from the sun is taken to emit nothing. */
  gridCo2KgPerKwh: decimalIn(moneyPlaces, { atLeast: 0n, below: 1_000 }),
})
export type UserReportQuestion = z.input<typeof userReportSchema>

/** What a user has in an area. */
export interface UserBalance {
  readonly area: ObjectId
  /** All that was received less all that was paid. */
  readonly balance: string
  /** What open orders and unsettled trades hold ready. */
  readonly reserved: string
  /** What may be spent: the balance and the credit limit, less what is reserved. */
  readonly available: string
}

/** User report: what a user's trades of a time came to, as far as they are settled. What was adopted from another system is not among them. */
export interface UserReport {
  readonly trades: number
  /** Trades that are not settled yet; they are in no sum. */
  readonly unsettled: number
  readonly boughtKwh: string
  readonly soldKwh: string
  readonly paid: string
  readonly earned: string
  readonly fees: string
  readonly penaltiesPaid: string
  readonly penaltiesReceived: string
  /** kg of CO2 that the grid would have emitted for what was bought from the sun. */
  readonly avoidedCo2Kg: string
}

export async function userBalances({ accounts }: MarketCollections, user: ObjectId): Promise<UserBalance[]> {
  const found = await accounts.for('balances').find({ user }, { sort: { area: 1 }, limit: 1_000 })
  return found.map((account) => {
    const units = (name: Counter | 'creditLimit') => unitsOf(account[name], moneyPlaces)
    const text = (amount: bigint) => textOf(amount, moneyPlaces)
    const balance = units('creditsPosted') - units('debitsPosted')
    return {
      area: account.area,
      balance: text(balance),
      reserved: text(units('debitsPending')),
      available: text(balance + units('creditLimit') - units('debitsPending')),
    }
  })
}

export async function userReport(
  collections: MarketCollections,
  { gridCo2KgPerKwh, ...time }: z.output<typeof userReportSchema>,
): Promise<UserReport> {
  const sums = {
    bought: 0n,
    sold: 0n,
    paid: 0n,
    earned: 0n,
    fees: 0n,
    penaltiesPaid: 0n,
    penaltiesReceived: 0n,
    solar: 0n,
  }
  let [trades, unsettled] = [0, 0]
  const sellOrders = new Map<string, { readonly order: ObjectId; energy: bigint }>()
  for await (const { transaction, role, settlement } of userTransactions(collections, time)) {
    if (transaction.type !== 'energy_trade' || isHistory(transaction)) continue
    trades += 1
    if (settlement === undefined) {
      unsettled += 1
      continue
    }
    const energy = unitsOf(settlement.deliveredKwh, energyPlaces)
    const { amount, fee, penalty } = settledOutcome(settlement)
    if (role === 'from') {
      sums.bought += energy
      sums.paid += amount
      sums.penaltiesReceived += penalty
      const order = transaction.sellOrder
      if (order !== undefined) {
        const known = sellOrders.get(order.toHexString()) ?? { order, energy: 0n }
        known.energy += energy
        sellOrders.set(order.toHexString(), known)
      }
    } else {
      sums.sold += energy
      sums.earned += amount
      sums.fees += fee
      sums.penaltiesPaid += penalty
    }
  }
  sums.solar = await solarEnergy(collections, sellOrders)
  const [kwh, money] = [(units: bigint) => textOf(units, energyPlaces), (units: bigint) => textOf(units, moneyPlaces)]
  return {
    trades,
    unsettled,
    boughtKwh: kwh(sums.bought),
    soldKwh: kwh(sums.sold),
    paid: money(sums.paid),
    earned: money(sums.earned),
    fees: money(sums.fees),
    penaltiesPaid: money(sums.penaltiesPaid),
    penaltiesReceived: money(sums.penaltiesReceived),
    avoidedCo2Kg: money(amountOf(sums.solar, unitsOf(gridCo2KgPerKwh, moneyPlaces))),
  }
}

const atOnce = 1_000

/** What of the energy comes from orders of sellers that have nothing but the sun. */
async function solarEnergy(
  { orders }: MarketCollections,
  sold: ReadonlyMap<string, { readonly order: ObjectId; readonly energy: bigint }>,
): Promise<bigint> {
  const all = [...sold.values()]
  let sum = 0n
  for (let at = 0; at < all.length; at += atOnce) {
    const ids = all.slice(at, at + atOnce).map(({ order }) => order)
    const solar = await orders
      .for('report')
      .find({ _id: { $in: ids }, 'source.renewable': true, 'source.storage': false }, { projection: { _id: 1 } })
    for (const { _id } of solar) sum += sold.get(_id.toHexString())?.energy ?? 0n
  }
  return sum
}
