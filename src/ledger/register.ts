import { sumStretches } from '../metering/index.js'
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
  const added = before === undefined ? noChange : changeOver(before, fact)
  if (after === undefined) return added
  const following = plus(added, changeOver(fact, after), 1)
  return before === undefined ? following : plus(following, changeOver(before, after), -1)
}

function changeOver(from: Fact, to: Fact): RegisterChange {
  const { consumedMws, producedMws } = sumStretches(stretchesBetween(from, to))
  return { consumedMws, producedMws, cost: (consumedMws * from.ratePerKwh) / mwsPerKwh }
}

function plus(a: RegisterChange, b: RegisterChange, sign: 1 | -1): RegisterChange {
  return {
    consumedMws: a.consumedMws + sign * b.consumedMws,
    producedMws: a.producedMws + sign * b.producedMws,
    cost: a.cost + sign * b.cost,
  }
}

/** The change for energy that was not found stretch by stretch. */
export function changeOf(consumedMws: number, ratePerKwh: number): RegisterChange {
  return { consumedMws, producedMws: 0, cost: (consumedMws * ratePerKwh) / mwsPerKwh }
}
