import { decideCounter } from './counter.js'
import { type CounterLevel, type CounterReading, counterInstants } from './counter-reading.js'
import { type CounterBounds, type CounterRules, counterBounds, isAcceptable } from './counter-rules.js'

/**
 * Whether the machine's state after these readings is the same whatever came before them, so that a window may begin with
 * them, or what happens after them is no concern of a change before them. The readings must be complete: all that there are
 * from the first one's to the last one's time, whole instants.
 *
 * It is, if somewhere among them are three or more consecutive readings, none of them zero, none below the one before and
 * each acceptable after it by rule 2, the third also after the first, of which the last is a quantum or more above the
 * second. Why: whatever came before, the first is accepted, or the two after it decide about it as a spike, or it begins or
 * goes on with a low run which the second ends. The one thing that a low run or a rise can leave open is jitter: a count up
 * to a quantum above the readings, which a rise by a quantum reaches. A counter that stands still, or that shows zeros,
 * leaves it open for as long as it does: keep the state of `decideCounter` to go on from there.
 *
 * @throws RangeError if a reading's value is not one that a counter can show, or if the rules are impossible.
 */
export function isSettledAfter(readings: readonly CounterReading[], rules: CounterRules): boolean {
  const bounds = counterBounds(rules)
  const levels = counterInstants(readings).map(({ level }) => level)
  let baseMws: number | undefined
  for (const [index, level] of levels.entries()) {
    const previous = levels[index - 1]
    if (previous === undefined || !follows(previous, level, bounds)) {
      baseMws = undefined
      continue
    }
    // Readings of a run do not fall, so the first triple's second reading is the lowest one to rise from.
    baseMws ??= secondOfTriple(levels[index - 2], previous, level, bounds)
    if (baseMws !== undefined && level.energyMws - baseMws >= bounds.quantumMws) return true
  }
  return false
}

/**
 * What a reading changes: the energy with it less the energy without it, in whole milliwatt-seconds; negative where a late
 * reading shows that less was used. Added up over all readings, in whatever order and however often they arrive, these
 * changes give the energy of the whole set.
 *
 * `windowReadings` are the readings there are without the new one: all of them, or as many as reach, complete, from it back
 * and on to where `isSettledAfter` holds for those before it and for those after it.
 *
 * @throws RangeError if a reading's value is not one that a counter can show, or if the rules are impossible.
 */
export function counterEnergyChange(
  windowReadings: readonly CounterReading[],
  newReading: CounterReading,
  rules: CounterRules,
): number {
  const energyWithMws = decideCounter([...windowReadings, newReading], rules).energyMws
  return energyWithMws - decideCounter(windowReadings, rules).energyMws
}

function follows(from: CounterLevel, to: CounterLevel, bounds: CounterBounds): boolean {
  return from.energyMws > 0 && isAcceptable(from, to, bounds)
}

function secondOfTriple(
  first: CounterLevel | undefined,
  second: CounterLevel,
  third: CounterLevel,
  bounds: CounterBounds,
): number | undefined {
  if (first === undefined || !follows(first, second, bounds) || !isAcceptable(first, third, bounds)) return undefined
  return second.energyMws
}
