import type { CounterLevel } from './counter-reading.js'
import { type CounterBounds, isAcceptable, rolloverMws } from './counter-rules.js'

/**
 * What the readings so far come to, and all that deciding about later ones needs. Plain data: it can be stored, and the
 * readings after it decided later.
 */
export interface CounterState {
  /** The time of the last reading that was looked at, epoch milliseconds. */
  readonly untilMs: number | undefined
  /** The last accepted reading. After jitter it has the jitter's time and the higher count, so that no count adds twice. */
  readonly last: CounterLevel | undefined
  /** The low run under way, with its last reading that is not zero. */
  readonly lowRun: { readonly base: CounterLevel | undefined } | undefined
  /** A spike, and the reading after it, that wait for the readings that decide about them. */
  readonly held: readonly CounterLevel[]
}

/** What was decided about a reading; see the rules. */
export type CounterDecision =
  | 'zero_point'
  | 'accepted'
  | 'jitter'
  | 'duplicate'
  | 'superseded'
  | 'spike_held'
  | 'spike_dropped'
  | 'rebased'
  | 'rollover'
  | 'low_run'
  | 'glitch'
  | 'reset'

/** Takes down what the machine decides. */
export interface CounterRecorder {
  decide(level: CounterLevel, decision: CounterDecision): void
  /** The readings of the low run up to now do not count. */
  dropLowRun(): void
  /** Energy from one accepted reading to the next; `capped` where the limit counts and not the counter's difference. */
  add(from: CounterLevel, to: CounterLevel, addedMws: number, capped: boolean): void
}

/** The state before the first reading. */
export const UNREAD_COUNTER: CounterState = Object.freeze({
  untilMs: undefined,
  last: undefined,
  lowRun: undefined,
  held: Object.freeze([]),
})

/** Reads one more reading, which is later than all those before it, and gives the state after it. */
export type CounterReader = (state: CounterState, level: CounterLevel) => CounterState

/** The machine that decides about readings one after the other, by rules 2 to 5. */
export function counterReader(bounds: CounterBounds, recorder: CounterRecorder): CounterReader {
  return (state, level) => ({ ...decide(state, level), untilMs: level.atMs })

  function decide(from: CounterState, to: CounterLevel): CounterState {
    const [spike, follower] = from.held
    if (spike !== undefined) return decideHeld(from, spike, follower, to)
    if (from.last === undefined) {
      recorder.decide(to, 'zero_point')
      return { ...from, last: to }
    }
    if (from.lowRun !== undefined) return decideInLowRun(from, from.last, from.lowRun.base, to)
    return decideAfterAccepted(from, from.last, to)
  }

  function decideAfterAccepted(from: CounterState, last: CounterLevel, to: CounterLevel): CounterState {
    if (to.energyMws >= last.energyMws) return decideRise(from, last, to)
    const runOver = rolloverMws(last, to, bounds)
    if (runOver !== undefined) {
      recorder.decide(to, 'rollover')
      recorder.add(last, to, runOver, false)
      return { ...from, last: to }
    }
    if (to.energyMws > 0 && isBackAt(last, to)) return endAsJitter(from, last, to)
    recorder.decide(to, 'low_run')
    return { ...from, lowRun: { base: to.energyMws > 0 ? to : undefined } }
  }

  function decideInLowRun(
    from: CounterState,
    last: CounterLevel,
    base: CounterLevel | undefined,
    to: CounterLevel,
  ): CounterState {
    if (to.energyMws === 0) {
      recorder.decide(to, 'low_run')
      return from
    }
    if (to.energyMws >= last.energyMws) return decideRise(from, last, to)
    if (isBackAt(last, to)) return endAsJitter(from, last, to)
    if (base === undefined || to.energyMws < base.energyMws) {
      recorder.decide(to, 'low_run')
      return { ...from, lowRun: { base: to } }
    }
    return isAcceptable(base, to, bounds) ? endAsReset(from, last, base, to) : hold(from, to)
  }

  /** Rules 2 and 3; a low run ends with an accepted reading, and stands where the reading is a spike. */
  function decideRise(from: CounterState, last: CounterLevel, to: CounterLevel): CounterState {
    if (!isAcceptable(last, to, bounds)) return hold(from, to)
    recorder.dropLowRun()
    recorder.decide(to, 'accepted')
    recorder.add(last, to, to.energyMws - last.energyMws, false)
    return { ...from, last: to, lowRun: undefined }
  }

  function isBackAt(last: CounterLevel, to: CounterLevel): boolean {
    return to.energyMws >= last.energyMws - bounds.quantumMws
  }

  function endAsJitter(from: CounterState, last: CounterLevel, to: CounterLevel): CounterState {
    recorder.dropLowRun()
    recorder.decide(to, 'jitter')
    recorder.add(last, to, 0, false)
    // The higher count stays: a counter that flickers between two counts would else add their difference each time.
    return { ...from, last: { ...to, energyMws: last.energyMws }, lowRun: undefined }
  }

  function endAsReset(from: CounterState, last: CounterLevel, base: CounterLevel, to: CounterLevel): CounterState {
    const totalMws = Math.min(to.energyMws, bounds.limitMws(last.atMs, to.atMs))
    const firstMws = Math.min(base.energyMws, bounds.limitMws(last.atMs, base.atMs), totalMws)
    recorder.dropLowRun()
    recorder.decide(base, 'reset')
    recorder.add(last, base, firstMws, firstMws < base.energyMws)
    recorder.decide(to, 'accepted')
    recorder.add(base, to, totalMws - firstMws, totalMws - firstMws !== to.energyMws - base.energyMws)
    return { ...from, last: to, lowRun: undefined }
  }

  function hold(from: CounterState, spike: CounterLevel): CounterState {
    recorder.decide(spike, 'spike_held')
    return { ...from, held: [spike] }
  }

  /**
   * Rule 3: the two readings after a spike decide about it, and are then decided about themselves. In a low run these are
   * the next two that are not zero, and the zeros between them are over with: there is no end to how many they may be.
   */
  function decideHeld(
    from: CounterState,
    spike: CounterLevel,
    follower: CounterLevel | undefined,
    to: CounterLevel,
  ): CounterState {
    const released = { ...from, held: [] }
    if (from.lowRun !== undefined && to.energyMws === 0) {
      recorder.decide(to, 'low_run')
      return from
    }
    const followers = follower === undefined ? [to] : [follower, to]
    if (!isAcceptable(spike, to, bounds)) {
      recorder.decide(spike, 'spike_dropped')
      return followers.reduce(decide, released)
    }
    if (follower === undefined) {
      recorder.decide(to, 'spike_held')
      return { ...from, held: [spike, to] }
    }
    return followers.reduce(decide, rebase(released, spike))
  }

  function rebase(from: CounterState, spike: CounterLevel): CounterState {
    const { last } = from
    if (last === undefined || spike.energyMws < last.energyMws) {
      // Held against the low run, not against the counter: the run starts anew here, and its readings make it a reset.
      recorder.decide(spike, 'low_run')
      return { ...from, lowRun: { base: spike } }
    }
    recorder.dropLowRun()
    recorder.decide(spike, 'rebased')
    recorder.add(last, spike, bounds.limitMws(last.atMs, spike.atMs), true)
    return { ...from, last: spike, lowRun: undefined }
  }
}
