import { compareOptional, compareReadings, compareValues, type ReadingOrder } from './reading-order.js'
import { type EnergyStretch, hasDuration, type StretchQuality } from './stretch.js'
import { mwsFromPower } from './units.js'

/**
 * A state that a switch was heard to be in. A reboot is two of them: off at the last sign of life before it, and the state
 * after the boot at the boot.
 */
export interface SwitchState extends ReadingOrder {
  on: boolean
  /** What the switched load is rated at, in watts, from this state on. */
  ratedPowerW: number
  /**
   * The last sign of life before this state was heard, epoch milliseconds, where it was longer ago than the device's gap
   * limit; absent where the device was not silent that long.
   */
  silentSinceMs?: number | undefined
}

/**
 * The energy from one switch state to the next: the rated power while on. A silence before `to` keeps its energy, as an
 * estimate, if the switch came back in the state it was believed to be in; else energy counts to the last sign of life and
 * the silence is missing. One or two stretches, none of them without duration.
 *
 * @throws RangeError if `to` is before `from`, or if the rated power is negative or not a finite number.
 */
export function ratedStretches(from: SwitchState, to: SwitchState): EnergyStretch[] {
  if (!(to.atMs >= from.atMs)) throw new RangeError(`A state at ${to.atMs} does not follow one at ${from.atMs}`)
  const aliveUntilMs = Math.min(Math.max(to.silentSinceMs ?? to.atMs, from.atMs), to.atMs)
  const alive = ratedStretch(from, from.atMs, aliveUntilMs, 'measured')
  const silent = ratedStretch(from, aliveUntilMs, to.atMs, to.on === from.on ? 'estimated' : 'missing')
  return [alive, silent].filter(hasDuration)
}

/**
 * The stretches between switch states, which may come in any order and repeatedly. The last state holds until the last sign
 * of life, where one is given that is later.
 *
 * @throws RangeError if a rated power is negative or not a finite number.
 */
export function ratedPowerStretches(
  states: readonly SwitchState[],
  options: { lastSignOfLifeMs?: number | undefined } = {},
): EnergyStretch[] {
  const sorted = states.toSorted(compareSwitchStates)
  const closed = sorted.slice(1).flatMap((to, index) => ratedStretches(sorted[index] ?? to, to))
  const last = sorted.at(-1)
  if (last === undefined || options.lastSignOfLifeMs === undefined) return closed
  return [...closed, ratedStretch(last, last.atMs, options.lastSignOfLifeMs, 'measured')].filter(hasDuration)
}

function ratedStretch(state: SwitchState, fromMs: number, toMs: number, quality: StretchQuality): EnergyStretch {
  if (!(state.ratedPowerW >= 0)) throw new RangeError(`A rated power of ${state.ratedPowerW} W is not possible`)
  const counts = state.on && quality !== 'missing' && toMs > fromMs
  const consumedMws = counts ? mwsFromPower(state.ratedPowerW, toMs - fromMs) : 0
  return { fromMs, toMs, consumedMws, producedMws: 0, quality }
}

// States that only their values tell apart must not be told apart by their arrival.
function compareSwitchStates(a: SwitchState, b: SwitchState): number {
  return (
    compareReadings(a, b) ||
    compareValues(Number(a.on), Number(b.on)) ||
    compareValues(a.ratedPowerW, b.ratedPowerW) ||
    compareOptional(a.silentSinceMs, b.silentSinceMs, compareValues)
  )
}
