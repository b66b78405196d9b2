import { amountOf, moneyPlaces, unitsOf } from '../decimal.js'
import type { MarketSettlement } from './settlement.js'

/** What a trade is settled by: whole units, and of `feeRate` millionths. */
export interface SettledTrade {
  readonly energy: bigint
  readonly price: bigint
  readonly feeRate: bigint
  readonly penaltyPerKwh: bigint
}

/** Who pays what, in whole units. */
export interface Outcome {
  /** The buyer to the seller, for what was delivered. */
  readonly amount: bigint
  /** The seller to the area, of that. */
  readonly fee: bigint
  /** The seller to the buyer, for what was not delivered. */
  readonly penalty: bigint
}

const wholeRate = 1_000_000n

/** What a trade comes to with so much delivered. What is missing is not paid for and costs the penalty, so not delivering never earns anything. */
export function outcomeOf({ energy, price, feeRate, penaltyPerKwh }: SettledTrade, delivered: bigint): Outcome {
  const amount = amountOf(delivered, price)
  return { amount, fee: (amount * feeRate) / wholeRate, penalty: amountOf(energy - delivered, penaltyPerKwh) }
}

/** What a settlement has come to. */
export function settledOutcome({ amount, fee, penalty }: MarketSettlement): Outcome {
  return {
    amount: unitsOf(amount, moneyPlaces),
    fee: unitsOf(fee, moneyPlaces),
    penalty: unitsOf(penalty, moneyPlaces),
  }
}
