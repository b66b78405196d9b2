import { compareReadings, compareValues, type ReadingOrder } from './reading-order.js'
import { type EnergyStretch, hasDuration } from './stretch.js'
import { mwsFromPower } from './units.js'

/** A measured power. */
export interface PowerReading extends ReadingOrder {
  /** Active power in watts; negative where the channel feeds back. */
  powerW: number
  /** How far away the next reading may be, in milliseconds. */
  gapLimitMs: number
}

/**
 * The energy from one power reading to the next: the channel used the earlier power all the time. Two readings further
 * apart than the earlier one's gap limit have no energy between them: the stretch is missing.
 *
 * @throws RangeError if `to` is before `from`, or if the power is not a finite number.
 */
export function powerStretch(from: PowerReading, to: { atMs: number }): EnergyStretch {
  const durationMs = to.atMs - from.atMs
  if (!(durationMs >= 0)) throw new RangeError(`A reading at ${to.atMs} does not follow one at ${from.atMs}`)
  const stretch = { fromMs: from.atMs, toMs: to.atMs, consumedMws: 0, producedMws: 0 }
  if (durationMs > from.gapLimitMs) return { ...stretch, quality: 'missing' }
  const energyMws = mwsFromPower(Math.abs(from.powerW), durationMs)
  if (from.powerW < 0) return { ...stretch, producedMws: energyMws, quality: 'measured' }
  return { ...stretch, consumedMws: energyMws, quality: 'measured' }
}

/**
 * The stretches between power readings, which may come in any order and repeatedly. Of readings at the same time the last
 * by `compareReadings` counts.
 *
 * @throws RangeError if a power is not a finite number.
 */
export function powerStretches(readings: readonly PowerReading[]): EnergyStretch[] {
  const sorted = readings.toSorted(comparePowerReadings)
  return sorted
    .slice(1)
    .map((to, index) => powerStretch(sorted[index] ?? to, to))
    .filter(hasDuration)
}

// Readings that only their values tell apart must not be told apart by their arrival.
function comparePowerReadings(a: PowerReading, b: PowerReading): number {
  return compareReadings(a, b) || compareValues(a.powerW, b.powerW) || compareValues(a.gapLimitMs, b.gapLimitMs)
}
