import { compareOptional, comparePlaces, compareValues, type ReadingOrder } from './reading-order.js'
import { type EnergyStretch, hasDuration } from './stretch.js'
import { mwsFromPower } from './units.js'

/** A measured power, or a reading that was refused. */
export interface PowerReading extends ReadingOrder {
  /** Active power in watts, negative where the channel feeds back; undefined where it was refused. */
  powerW: number | undefined
  /** How far away the next reading may be, in milliseconds. */
  gapLimitMs: number
}

/**
 * The energy from one power reading to the next, by zero-order hold: the earlier power holds until the next reading. Two readings further
 * apart than the earlier one's gap limit have no energy between them: the stretch is missing, as it is from a reading that
 * was refused.
 *
 * @throws RangeError if `to` is before `from`, or if the power is not a finite number.
 */
export function powerStretch(
  from: Pick<PowerReading, 'atMs' | 'powerW' | 'gapLimitMs'>,
  to: { atMs: number },
): EnergyStretch {
  const durationMs = to.atMs - from.atMs
  if (!(durationMs >= 0)) throw new RangeError(`A reading at ${to.atMs} does not follow one at ${from.atMs}`)
  const { atMs: fromMs } = from
  const { atMs: toMs } = to
  if (from.powerW === undefined || durationMs > from.gapLimitMs)
    return { fromMs, toMs, consumedMws: 0, producedMws: 0, quality: 'missing' }
  const energyMws = mwsFromPower(Math.abs(from.powerW), durationMs)
  return from.powerW < 0
    ? { fromMs, toMs, consumedMws: 0, producedMws: energyMws, quality: 'measured' }
    : { fromMs, toMs, consumedMws: energyMws, producedMws: 0, quality: 'measured' }
}

/**
 * The stretches between power readings, which may come in any order and repeatedly. Of readings at the same time the last
 * by `comparePowers` counts.
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

/**
 * Orders power readings as `compareReadings` does. One that was refused comes before another one of its message, which is
 * the same reading, accepted later.
 */
export function comparePowers(a: PowerReading, b: PowerReading): number {
  return (
    comparePlaces(a, b) ||
    compareValues(Number(a.powerW !== undefined), Number(b.powerW !== undefined)) ||
    compareOptional(a.digest, b.digest, compareValues)
  )
}

// Readings that only their values distinguish must not be distinguished by their arrival.
function comparePowerReadings(a: PowerReading, b: PowerReading): number {
  return (
    comparePowers(a, b) ||
    compareOptional(a.powerW, b.powerW, compareValues) ||
    compareValues(a.gapLimitMs, b.gapLimitMs)
  )
}
