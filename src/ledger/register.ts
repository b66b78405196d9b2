import type { EnergyStretch } from '../metering/index.js'
import { type Fact, stretchesBetween } from './fact.js'

/** What a fact changes in its switch's registers. */
export interface RegisterChange {
  readonly consumedMws: number
  readonly producedMws: number
  readonly cost: number
}

export const noChange: RegisterChange = { consumedMws: 0, producedMws: 0, cost: 0 }

const mwsPerKwh = 3.6e9

/** The registers' change when a fact comes between its neighbours in time: the new stretches less the one they replace. */
export function changeBetween(before: Fact | undefined, fact: Fact, after: Fact | undefined): RegisterChange {
  let consumedMws = 0
  let producedMws = 0
  let cost = 0
  const count = (stretches: readonly EnergyStretch[], sign: 1 | -1, ratePerKwh: number) => {
    for (const stretch of stretches) {
      consumedMws += sign * stretch.consumedMws
      producedMws += sign * stretch.producedMws
      cost += (sign * stretch.consumedMws * ratePerKwh) / mwsPerKwh
    }
  }
  if (before !== undefined) count(stretchesBetween(before, fact), 1, before.ratePerKwh)
  if (after !== undefined) count(stretchesBetween(fact, after), 1, fact.ratePerKwh)
  if (before !== undefined && after !== undefined) count(stretchesBetween(before, after), -1, before.ratePerKwh)
  return { consumedMws, producedMws, cost }
}

/** The change for energy that was not found stretch by stretch. */
export function changeOf(consumedMws: number, ratePerKwh: number): RegisterChange {
  return { consumedMws, producedMws: 0, cost: (consumedMws * ratePerKwh) / mwsPerKwh }
}
