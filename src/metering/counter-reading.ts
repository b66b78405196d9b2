import { compareReadings, compareValues, type ReadingOrder } from './reading-order.js'

/** A value that an energy counter showed. */
export interface CounterReading extends ReadingOrder {
  /** The counter's value in watt-hours. */
  energyWh: number
  /** How far away the next reading may be, in milliseconds, before the energy between them is an estimate. */
  gapLimitMs: number
}

/** What the machine keeps of a reading. */
export interface CounterLevel {
  /** Epoch milliseconds. */
  readonly atMs: number
  /** The counter's value in milliwatt-seconds, a whole number. */
  readonly energyMws: number
  readonly gapLimitMs: number
}

/** What several readings of one instant come to. */
export interface CounterInstant {
  /** The reading that counts. */
  readonly reading: CounterReading
  readonly level: CounterLevel
  /** Other readings of the same instant: those that show the same count, and those that show another one. */
  readonly others: readonly { reading: CounterReading; sameCount: boolean }[]
}

const MWS_PER_WH = 3_600_000

/** Whether a value is one that a counter can show; `null`, text, NaN, infinite and negative values are not. */
export function isCounterValue(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/**
 * Sorts readings, drops repeated ones and decides which one counts where several have the same time: the one with the
 * highest sequence number, where there is none the one with the highest digest.
 *
 * @throws RangeError if a reading's value is not one that a counter can show.
 */
export function counterInstants(readings: readonly CounterReading[]): CounterInstant[] {
  const distinct = dropRepeated(readings.toSorted(compareCounterReadings))
  const instants: CounterInstant[] = []
  for (let start = 0; start < distinct.length; ) {
    let end = start + 1
    while (end < distinct.length && distinct[end]?.atMs === distinct[start]?.atMs) end += 1
    instants.push(instantOf(distinct.slice(start, end)))
    start = end
  }
  return instants
}

function instantOf(group: readonly CounterReading[]): CounterInstant {
  const reading = group.at(-1)
  if (reading === undefined) throw new RangeError('An instant needs a reading')
  const level = levelOf(reading)
  const others = group
    .slice(0, -1)
    .map((other) => ({ reading: other, sameCount: levelOf(other).energyMws === level.energyMws }))
  return { reading, level, others }
}

// Values beyond the safe integers (2.5 GWh) are still whole, and their differences exact: no need to refuse them.
function levelOf({ atMs, energyWh, gapLimitMs }: CounterReading): CounterLevel {
  if (!isCounterValue(energyWh)) throw new RangeError(`${energyWh} is not a value that a counter can show`)
  return { atMs, energyMws: Math.min(Math.round(energyWh * MWS_PER_WH), Number.MAX_VALUE), gapLimitMs }
}

function dropRepeated(sorted: readonly CounterReading[]): CounterReading[] {
  return sorted.filter((reading, index) => {
    const next = sorted[index + 1]
    return next === undefined || compareReadings(reading, next) !== 0 || reading.energyWh !== next.energyWh
  })
}

// Readings that only their values tell apart must not be told apart by their arrival.
function compareCounterReadings(a: CounterReading, b: CounterReading): number {
  return compareReadings(a, b) || compareValues(a.energyWh, b.energyWh) || compareValues(a.gapLimitMs, b.gapLimitMs)
}
