import type { CounterPoint } from './counter-reading.js'
import { type CounterBounds, countedMws } from './counter-rules.js'
import type { EnergyStretch } from './stretch.js'

/**
 * Readings that follow one another on another level than that of the last accepted one. It is believed once the counter
 * counts on it; see rule 4. Plain data.
 */
export interface CounterLevel {
  readonly first: CounterPoint
  /** The last reading; after jitter it has the jitter's time and the higher count. */
  readonly last: CounterPoint
  /** How many readings followed the first without falling. */
  readonly followers: number
  /** What was counted from the first to the last, without holes. */
  readonly stretches: readonly EnergyStretch[]
}

/** A high level, or a spike upon a low one, needs this many readings after its first. */
export const HIGH_LEVEL_FOLLOWERS = 2
/** A low level needs this many. */
export const LOW_LEVEL_FOLLOWERS = 1

export function levelFrom(point: CounterPoint): CounterLevel {
  return { first: point, last: point, followers: 0, stretches: [] }
}

/** The level with one more reading; undefined if the counter cannot have got there from the level's last one. */
export function levelWith(level: CounterLevel, point: CounterPoint, bounds: CounterBounds): CounterLevel | undefined {
  const { first, last, followers } = level
  const energyMws = countedMws(last, point, bounds)
  if (energyMws === undefined) return undefined
  const stretches = joined(level.stretches, stretchBetween(last, point, energyMws))
  // Jitter decides nothing.
  if (point.energyMws < last.energyMws) return { first, last: withCountOf(last, point), followers, stretches }
  return { first, last: point, followers: followers + 1, stretches }
}

/** Whether the counter has counted on the level, after so many readings that followed its first. */
export function isBelieved(level: CounterLevel, leastFollowers: number, bounds: CounterBounds): boolean {
  const shownMws = level.last.energyMws - level.first.energyMws
  return level.followers >= leastFollowers && shownMws >= Math.max(bounds.quantumMws, 1)
}

/** Jitter's own time, and the higher count: a counter that flickers between two counts would else add their difference each time. */
export function withCountOf(higher: CounterPoint, jitter: CounterPoint): CounterPoint {
  return { ...jitter, energyMws: higher.energyMws }
}

/** The energy from one reading to the next, an estimate where they are further apart than the gap limit. */
export function stretchBetween(from: CounterPoint, to: CounterPoint, consumedMws: number): EnergyStretch {
  const quality = to.atMs - from.atMs > from.gapLimitMs ? 'estimated' : 'measured'
  return { fromMs: from.atMs, toMs: to.atMs, consumedMws, producedMws: 0, quality }
}

/** A counter that stands still on a level may do so for months: its stretches without energy are kept as one. */
function joined(stretches: readonly EnergyStretch[], next: EnergyStretch): readonly EnergyStretch[] {
  const before = stretches.at(-1)
  if (before === undefined || before.consumedMws > 0 || next.consumedMws > 0 || before.quality !== next.quality) {
    return [...stretches, next]
  }
  return [...stretches.slice(0, -1), { ...before, toMs: next.toMs }]
}
