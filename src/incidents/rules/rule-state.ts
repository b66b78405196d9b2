/**
 * `normal`; `pending` while the value is beyond the limit and has yet to stay there; `firing`; `recovering` while it is back and has yet to stay.
 */
export const rulePhases = ['normal', 'pending', 'firing', 'recovering'] as const
export type RulePhase = (typeof rulePhases)[number]

/** How a rule stands for one thing that it looks at. */
export interface RuleState {
  readonly phase: RulePhase
  /** Since when it is in the phase, epoch ms. */
  readonly sinceMs: number
  /** The last reading, epoch ms. */
  readonly lastMs: number
}

/** What a rule compares values with. Of a rule that finds low values wrong all of it has the other sign. */
export interface RuleLimits {
  /** It begins at this value, or above. */
  readonly raiseAt: number
  /** It is over at this value, or below; not above `raiseAt`. */
  readonly clearAt: number
  /** How long the value has to stay at `raiseAt` or above before an alert is opened. */
  readonly holdMs: number
  /** How long it has to stay at `clearAt` or below before the alert is closed. */
  readonly clearHoldMs: number
  /** Readings that are further apart say nothing of the time between them. */
  readonly gapMs: number
}

export interface RuleStep {
  readonly state: RuleState
  /** What changes with the reading. */
  readonly event?: 'open' | 'close'
}

/**
 * The state after a reading. Times are those of the readings: a pause longer than `gapMs` begins the waiting anew, and never adds to it.
 * @param isActive Whether the rule holds at this time; where it does not, nothing begins, and what has begun may end.
 */
export function stepped(before: RuleState, atMs: number, value: number, limits: RuleLimits, isActive = true): RuleStep {
  const { raiseAt, clearAt, holdMs, clearHoldMs, gapMs } = limits
  const hasGap = atMs - before.lastMs > gapMs
  const enter = (phase: RulePhase): RuleState => ({ phase, sinceMs: atMs, lastMs: atMs })
  const stay: RuleState = { ...before, lastMs: atMs }
  if (before.phase === 'normal' || before.phase === 'pending') {
    if (value < raiseAt || !isActive) return { state: before.phase === 'normal' ? stay : enter('normal') }
    const sinceMs = before.phase === 'pending' && !hasGap ? before.sinceMs : atMs
    if (atMs - sinceMs >= holdMs) return { state: enter('firing'), event: 'open' }
    return { state: { phase: 'pending', sinceMs, lastMs: atMs } }
  }
  if (value > clearAt) return { state: before.phase === 'firing' ? stay : enter('firing') }
  const sinceMs = before.phase === 'recovering' && !hasGap ? before.sinceMs : atMs
  if (atMs - sinceMs >= clearHoldMs) return { state: enter('normal'), event: 'close' }
  return { state: { phase: 'recovering', sinceMs, lastMs: atMs } }
}
