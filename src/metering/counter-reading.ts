import { compareReadings, compareValues, type ReadingOrder } from './reading-order.js'

/** A value that an energy counter showed. */
export interface CounterReading extends ReadingOrder {
  /** The counter's value in watt-hours. */
  energyWh: number
  /** How far away the next reading may be, in milliseconds, before the energy between them is an estimate. */
  gapLimitMs: number
}

/** A reading as far as deciding needs it. */
export interface CounterPoint {
  /** Epoch milliseconds. */
  readonly atMs: number
  /** The counter's value in milliwatt-seconds, a whole number. */
  readonly energyMws: number
  readonly gapLimitMs: number
}

const MWS_PER_WH = 3_600_000

/** Whether a value is one that a counter can show; `null`, text, NaN, infinite and negative values are not. */
export function isCounterValue(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/**
 * Rule 1: the readings in order, one for each instant. Of several at one instant the one with the highest sequence number
 * counts, where there is none the one with the highest digest.
 *
 * @throws RangeError if a reading's value is not one that a counter can show.
 */
export function counterPoints(readings: readonly CounterReading[]): CounterPoint[] {
  if (readings.length === 1) return readings.map(pointOf)
  const sorted = readings.toSorted(compareCounterReadings)
  return sorted.filter(({ atMs }, index) => atMs !== sorted[index + 1]?.atMs).map(pointOf)
}

// Values beyond the safe integers (2.5 GWh) are still whole, and their differences exact: no need to refuse them.
function pointOf({ atMs, energyWh, gapLimitMs }: CounterReading): CounterPoint {
  if (!isCounterValue(energyWh)) throw new RangeError(`${energyWh} is not a value that a counter can show`)
  return { atMs, energyMws: Math.min(Math.round(energyWh * MWS_PER_WH), Number.MAX_VALUE), gapLimitMs }
}

// Readings that only their values distinguish must not be distinguished by their arrival.
function compareCounterReadings(a: CounterReading, b: CounterReading): number {
  return compareReadings(a, b) || compareValues(a.energyWh, b.energyWh) || compareValues(a.gapLimitMs, b.gapLimitMs)
}
