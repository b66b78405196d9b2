import {
  type CounterLevel,
  HIGH_LEVEL_FOLLOWERS,
  isBelieved,
  LOW_LEVEL_FOLLOWERS,
  levelFrom,
  levelWith,
  stretchBetween,
  withCountOf,
} from './counter-level.js'
import type { CounterPoint } from './counter-reading.js'
import { type CounterBounds, countedMws, rolledOverMws } from './counter-rules.js'
import type { EnergyStretch } from './stretch.js'

/**
 * What the readings so far come to, and all that deciding about later ones needs. Plain data: it can be stored, and the
 * readings after it decided later.
 */
export interface CounterState {
  /** The time of the last reading that was looked at, epoch milliseconds. */
  readonly untilMs: number | undefined
  /** The last accepted reading; after jitter it has the jitter's time and the higher count. */
  readonly last: CounterPoint | undefined
  /** Whether there are readings after the last accepted one, which wait for later ones to decide about them. */
  readonly isPending: boolean
  /** The level that these are on; undefined while they are all zero. */
  readonly level: CounterLevel | undefined
  /** A spike upon that level, if it is low. */
  readonly spike: CounterLevel | undefined
}

/** The state before the first reading. */
export const UNREAD_COUNTER: CounterState = Object.freeze({
  untilMs: undefined,
  last: undefined,
  isPending: false,
  level: undefined,
  spike: undefined,
})

/** Takes down the time between accepted readings, in order. */
export type StretchRecorder = (stretch: EnergyStretch) => void

/** Reads one more reading, which is later than all those before it, and gives the state after it. */
export type CounterReader = (state: CounterState, point: CounterPoint) => CounterState

/** Decides about readings one after the other, by rules 2 to 4. */
export function counterReader(bounds: CounterBounds, record: StretchRecorder): CounterReader {
  return (state, point) => {
    const { last } = state
    return last === undefined ? accepted(point, point) : decide(state, last, point)
  }

  function decide(state: CounterState, last: CounterPoint, point: CounterPoint): CounterState {
    const waiting = { ...state, untilMs: point.atMs, isPending: true }
    // Zeros on another level decide nothing, not even where they are within reach of the count before it.
    if (state.isPending && point.energyMws === 0) return waiting
    const jitterOrRiseMws = countedMws(last, point, bounds)
    const addedMws = jitterOrRiseMws ?? rolledOverMws(last, point, bounds)
    if (addedMws !== undefined) {
      record(stretchBetween(last, point, addedMws))
      const isJitter = jitterOrRiseMws !== undefined && point.energyMws < last.energyMws
      return accepted(isJitter ? withCountOf(last, point) : point, point)
    }
    if (point.energyMws === 0) return waiting
    const { level, spike } = followed(state, last, point)
    const isLow = level.first.energyMws < last.energyMws
    if (spike !== undefined && isBelieved(spike, HIGH_LEVEL_FOLLOWERS, bounds)) return believe(last, spike)
    if (isBelieved(level, isLow ? LOW_LEVEL_FOLLOWERS : HIGH_LEVEL_FOLLOWERS, bounds)) return believe(last, level)
    return { ...waiting, level, spike }
  }

  /** Where a reading goes that is not within reach of the last accepted one. */
  function followed(
    { level, spike }: CounterState,
    last: CounterPoint,
    point: CounterPoint,
  ): { readonly level: CounterLevel; readonly spike: CounterLevel | undefined } {
    if (level === undefined) return { level: levelFrom(point), spike: undefined }
    const longer = levelWith(level, point, bounds)
    if (longer !== undefined) return { level: longer, spike: undefined }
    const isLow = level.first.energyMws < last.energyMws
    if (!isLow || point.energyMws < level.last.energyMws) return { level: levelFrom(point), spike: undefined }
    return { level, spike: (spike && levelWith(spike, point, bounds)) ?? levelFrom(point) }
  }

  /** What the level has counted is energy; the way to it is, too, if it began at zero. */
  function believe(last: CounterPoint, level: CounterLevel): CounterState {
    const { first } = level
    const limitMws = bounds.limitMws(last.atMs, level.last.atMs)
    const isReset = 2 * first.energyMws <= last.energyMws && level.last.energyMws <= limitMws
    const way = stretchBetween(last, first, isReset ? first.energyMws : 0)
    record(isReset ? way : { ...way, quality: 'missing' })
    for (const stretch of level.stretches) record(stretch)
    return accepted(level.last, level.last)
  }

  function accepted(last: CounterPoint, { atMs }: CounterPoint): CounterState {
    return { untilMs: atMs, last, isPending: false, level: undefined, spike: undefined }
  }
}
