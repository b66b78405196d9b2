import { compareOptional, compareReadings, compareValues, type ReadingOrder } from './reading-order.js'
import { type EnergyStretch, hasDuration, type StretchQuality } from './stretch.js'
import { mwsFromPower } from './units.js'

/** What is known of a rated switch at an instant: a state that its device reported, or a sign of life alone. */
export interface SwitchState extends ReadingOrder {
  /** Undefined for a sign of life: the switch was as it was before. */
  on: boolean | undefined
  /** What the switched load is rated at, in watts, from this state on; that of a sign of life does not count. */
  ratedPowerW: number
  /**
   * The last sign of life before, epoch milliseconds, where it was longer ago than the device's gap limit, or in another run
   * of the device; absent where the device was not silent. Signs of life that become known later cut the silence.
   */
  silentSinceMs?: number | undefined
  /**
   * For a sign of life: the first of a run of the device. The switch was off from the last sign of life of the run before,
   * and stays so until a state is reported. It is none after a fact of the same boot: then another sign was the first.
   */
  isRestart?: boolean | undefined
}

/**
 * The energy from one switch state to what is known next: the rated power while on. A silence before `to` keeps its energy, as
 * an estimate, if the switch came back in the state it was believed to be in; else energy counts to the last sign of life and
 * the silence is missing. One or two stretches, none of them without duration; none after a sign of life alone.
 *
 * @throws RangeError if `to` is before `from`, or if the rated power is negative or not a finite number.
 */
export function ratedStretches(from: SwitchState, to: SwitchState): EnergyStretch[] {
  if (!(to.atMs >= from.atMs)) throw new RangeError(`A state at ${to.atMs} does not follow one at ${from.atMs}`)
  if (from.on === undefined) return []
  const aliveUntilMs = Math.min(Math.max(to.silentSinceMs ?? to.atMs, from.atMs), to.atMs)
  const alive = ratedStretch(from, from.atMs, aliveUntilMs, 'measured')
  if (startsAnew(from, to)) {
    return [alive, ratedStretch({ ...from, on: false }, aliveUntilMs, to.atMs, 'measured')].filter(hasDuration)
  }
  const isAsBefore = to.on === undefined || to.on === from.on
  const silent = ratedStretch(from, aliveUntilMs, to.atMs, isAsBefore ? 'estimated' : 'missing')
  return [alive, silent].filter(hasDuration)
}

/** The state that the switch is in from `to` on. */
export function stateAfter<State extends SwitchState>(from: State, to: State): State {
  if (to.on !== undefined || from.on === undefined) return to
  const { atMs, boot = from.boot, sequence, digest } = to
  const on = startsAnew(from, to) ? false : from.on
  return { ...from, on, atMs, boot, sequence, digest, silentSinceMs: undefined }
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
  const stretches: EnergyStretch[] = []
  let last: SwitchState | undefined
  for (const state of states.toSorted(compareSwitchStates)) {
    if (last !== undefined) stretches.push(...ratedStretches(last, state))
    last = last === undefined ? state : stateAfter(last, state)
  }
  if (last?.on === undefined || options.lastSignOfLifeMs === undefined) return stretches
  return [...stretches, ratedStretch(last, last.atMs, options.lastSignOfLifeMs, 'measured')].filter(hasDuration)
}

function startsAnew(from: SwitchState, { isRestart, boot }: SwitchState): boolean {
  return isRestart === true && (boot === undefined || boot !== from.boot)
}

function ratedStretch(state: SwitchState, fromMs: number, toMs: number, quality: StretchQuality): EnergyStretch {
  if (!(state.ratedPowerW >= 0)) throw new RangeError(`A rated power of ${state.ratedPowerW} W is not possible`)
  const counts = state.on && quality !== 'missing' && toMs > fromMs
  const consumedMws = counts ? mwsFromPower(state.ratedPowerW, toMs - fromMs) : 0
  return { fromMs, toMs, consumedMws, producedMws: 0, quality }
}

// States that only their values distinguish must not be distinguished by their arrival.
function compareSwitchStates(a: SwitchState, b: SwitchState): number {
  return (
    compareReadings(a, b) ||
    compareOptional(a.on, b.on, (x, y) => compareValues(Number(x), Number(y))) ||
    compareValues(a.ratedPowerW, b.ratedPowerW) ||
    compareOptional(a.silentSinceMs, b.silentSinceMs, compareValues)
  )
}
