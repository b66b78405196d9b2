import type { LedgerEvent } from '../entry/entry.js'
import type { Fact } from './fact.js'
import { inOrder } from './fact.js'
import { type FactStretch, SwitchMeter } from './switch-meter.js'

/** Register change: what a fact changes in its switch's registers. */
export interface RegisterChange {
  /** Whole milliwatt-seconds; negative where a late reading shows that less was used. */
  readonly consumedMws: number
  readonly producedMws: number
  /** Currency units. */
  readonly cost: number
}

const noChange: RegisterChange = { consumedMws: 0, producedMws: 0, cost: 0 }

/** What an event changes that says nothing of readings or states. */
export function adjustmentOf({ adjustment }: Pick<LedgerEvent, 'adjustment'>): RegisterChange {
  if (adjustment === undefined) return noChange
  const { energyWs, productionWs, cost } = adjustment
  return { consumedMws: Math.round(energyWs * 1000), producedMws: Math.round(productionWs * 1000), cost }
}

const mwsPerKwh = 3.6e9

/** What the stretches come to, each at the price in force when it began. */
export function sumOf(stretches: readonly FactStretch[]): RegisterChange {
  const sum = { consumedMws: 0, producedMws: 0, cost: 0 }
  for (const { stretch, since } of stretches) {
    sum.consumedMws += stretch.consumedMws
    sum.producedMws += stretch.producedMws
    sum.cost += costOf(stretch.consumedMws, since.ratePerKwh)
  }
  return sum
}

/** What consumed energy costs, in currency units. */
export function costOf(consumedMws: number, ratePerKwh: number): number {
  return (consumedMws * ratePerKwh) / mwsPerKwh
}

/** What a fact changes that comes among others: the energy with it less the energy without it. */
export function changeAmong(others: readonly Fact[], fact: Fact): RegisterChange {
  const after = sumOf(new SwitchMeter().take(inOrder([...others, fact])))
  const before = sumOf(new SwitchMeter().take(others))
  return {
    consumedMws: after.consumedMws - before.consumedMws,
    producedMws: after.producedMws - before.producedMws,
    cost: after.cost - before.cost,
  }
}
