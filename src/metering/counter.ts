import { type CounterState, counterReader, UNREAD_COUNTER } from './counter-machine.js'
import { type CounterReading, counterPoints } from './counter-reading.js'
import { type CounterRules, counterBounds } from './counter-rules.js'
import type { EnergyStretch } from './stretch.js'

/** Counter outcome: what a set of counter readings comes to. */
export interface CounterOutcome {
  /** The time between accepted readings, without holes, as consumption. */
  stretches: EnergyStretch[]
  /** The energy of all stretches, whole milliwatt-seconds. */
  energyMws: number
  /** Where to go on when later readings come; its `isPending` tells whether the last ones wait for them. */
  state: CounterState
}

/**
 * Decides which readings of an energy counter count, and what energy they add. The readings may come in any order and
 * repeatedly: the outcome is the same. With `after`, the state of an earlier outcome, the readings are taken as the ones
 * that follow, and stretches and energy are those that they add; they must all be later.
 *
 * @throws RangeError if a reading's value is not one that a counter can show (ask `isCounterValue` first), if the rules are
 * impossible, or if a reading is not later than `after`.
 * @example
 * const minute = (at: number, energyWh: number) => ({ atMs: at * 60_000, energyWh, gapLimitMs: 300_000 })
 * decideCounter([minute(0, 100), minute(1, 0), minute(2, 160)], { quantumWh: 1, maximumPowerW: 25_000 }).energyMws
 * // 216_000_000, which is 60 Wh
 */
export function decideCounter(
  readings: readonly CounterReading[],
  rules: CounterRules,
  after: CounterState = UNREAD_COUNTER,
): CounterOutcome {
  const points = counterPoints(readings)
  const firstMs = points[0]?.atMs
  if (firstMs !== undefined && after.untilMs !== undefined && firstMs <= after.untilMs) {
    throw new RangeError(`A reading at ${firstMs} is not later than the readings until ${after.untilMs}`)
  }
  const stretches: EnergyStretch[] = []
  const read = counterReader(counterBounds(rules), (stretch) => stretches.push(stretch))
  const state = points.reduce(read, after)
  return { stretches, energyMws: stretches.reduce((sum, { consumedMws }) => sum + consumedMws, 0), state }
}
