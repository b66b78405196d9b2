import { type CounterPoint, type CounterReading, counterPoints } from './counter-reading.js'
import { type CounterBounds, type CounterRules, counterBounds } from './counter-rules.js'

/**
 * Whether the state of `decideCounter` after these readings is the same whatever came before them, so that a window may
 * begin with them, or what happens after them is no concern of a change before them. The readings must be complete: all that
 * there are from the first one's to the last one's time, whole instants.
 *
 * It is, if somewhere among them is a run of consecutive readings, none of them zero, none below the one before and each
 * within the limit after it, that
 * 1. has two readings a quantum or more above its first, the second of them two quanta (at least a quantum and 1 mW·s) above
 *    it. Then the run is accepted, whatever came before: its first reading is accepted, or is on a level that is believed by
 *    then. That level's own first reading may be a quantum above the run's, which began with jitter then.
 * 2. rises by another quantum. Any reading until then may have been jitter, a quantum below the count that was accepted.
 *
 * A counter that stands still, or that shows zeros, leaves it open for as long as it does: keep the state of `decideCounter`
 * to go on from there.
 *
 * @throws RangeError if a reading's value is not one that a counter can show, or if the rules are impossible.
 */
export function isSettledAfter(readings: readonly CounterReading[], rules: CounterRules): boolean {
  const bounds = counterBounds(rules)
  const { quantumMws } = bounds
  let run: RunOfReadings | undefined
  for (const point of counterPoints(readings)) {
    run = run !== undefined && goesOn(run.last, point, bounds) ? { ...run, last: point } : runFrom(point)
    const aboveFirstMws = point.energyMws - run.first.energyMws
    if (point !== run.first && aboveFirstMws >= quantumMws) run = { ...run, above: run.above + 1 }
    if (run.above >= 2 && aboveFirstMws >= quantumMws + Math.max(quantumMws, 1)) run.acceptedMws ??= point.energyMws
    if (run.acceptedMws !== undefined && point.energyMws - run.acceptedMws >= quantumMws) return true
  }
  return false
}

interface RunOfReadings {
  readonly first: CounterPoint
  readonly last: CounterPoint
  /** How many readings after the first are a quantum or more above it. */
  readonly above: number
  /** The first count that is accepted whatever came before, but for jitter. */
  acceptedMws: number | undefined
}

function runFrom(first: CounterPoint): RunOfReadings {
  return { first, last: first, above: 0, acceptedMws: undefined }
}

function goesOn(from: CounterPoint, to: CounterPoint, bounds: CounterBounds): boolean {
  const riseMws = to.energyMws - from.energyMws
  return from.energyMws > 0 && riseMws >= 0 && riseMws <= bounds.limitMws(from.atMs, to.atMs)
}
