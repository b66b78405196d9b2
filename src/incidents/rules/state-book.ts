import type { ObjectId } from 'mongodb'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { MaintenanceTest } from '../response/maintenance.js'
import type { AlertRule } from './alert-rule.js'
import type { AlertState } from './alert-state.js'
import { readingKindOf } from './rule-kinds.js'
import type { SubjectReadings } from './rule-readings.js'
import { type RuleLimits, type RuleState, stepped } from './rule-state.js'
import type { RuleTarget } from './rule-targets.js'
import { holdsAt } from './rule-times.js'

interface Tracked {
  readonly rule: ObjectId
  readonly subject: string
  readonly target: Pick<RuleTarget, 'device' | 'classroom'>
  state: RuleState
  counterWh: number | undefined
  due: AlertState['due'][number][]
  isChanged: boolean
}

/** The states of all rules, as they are in the memory of the process that holds the lease; what has changed is written once for each window. */
export class StateBook {
  readonly #tracked = new Map<string, Tracked>()
  readonly #active = new Map<string, boolean>()

  readonly #isMaintained: MaintenanceTest

  constructor(stored: readonly AlertState[], isMaintained: MaintenanceTest) {
    this.#isMaintained = isMaintained
    for (const one of stored) {
      const { rule, subject, phase, since, lastAt, counterWh, device, classroom } = one
      this.#tracked.set(keyOf(rule, subject), {
        rule,
        subject,
        target: { device, classroom },
        state: { phase, sinceMs: since.getTime(), lastMs: lastAt.getTime() },
        counterWh,
        due: [],
        isChanged: false,
      })
    }
  }

  /** Applies a rule to readings in their order. */
  apply(rule: AlertRule, target: RuleTarget, { subject, readings }: SubjectReadings): void {
    const kind = readingKindOf(rule.kind)
    const { raiseAt } = rule
    if (kind === undefined || raiseAt === undefined) return
    const sign = kind.isBelow ? -1 : 1
    const { clearAt = raiseAt, holdMs, clearHoldMs, gapMs } = rule
    const limits: RuleLimits = { raiseAt: sign * raiseAt, clearAt: sign * clearAt, holdMs, clearHoldMs, gapMs }
    const tracked = this.#trackedOf(rule, target, subject)
    for (const reading of readings) {
      const { atMs } = reading
      // A copy, or older than what was looked at.
      if (atMs <= tracked.state.lastMs) continue
      const before = tracked.state
      const value = kind.valueOf(reading, tracked.counterWh)
      if (kind.usesCounter && reading.counter_wh !== undefined) {
        tracked.isChanged = true
        tracked.counterWh = reading.counter_wh
        tracked.state = { ...before, lastMs: atMs }
      }
      if (value === undefined) continue
      const isActive = this.#isActive(rule, atMs, target.timeZone) && !this.#isMaintained(target, atMs)
      const { state, event } = stepped(before, atMs, sign * value, limits, isActive)
      tracked.state = state
      if (state.phase !== 'normal' || before.phase !== 'normal') tracked.isChanged = true
      if (event !== undefined) tracked.due.push({ event, at: new Date(atMs), value })
    }
  }

  /** What has changed since the last call. */
  writes(): StoreWrite<AlertState>[] {
    const changed = [...this.#tracked.values()].filter(({ isChanged }) => isChanged)
    return changed.map((tracked) => {
      const { rule, subject, target, state, counterWh, due } = tracked
      tracked.isChanged = false
      tracked.due = []
      return {
        update: { rule, subject },
        by: {
          $set: {
            device: target.device,
            ...(target.classroom === undefined ? {} : { classroom: target.classroom }),
            phase: state.phase,
            since: new Date(state.sinceMs),
            lastAt: new Date(state.lastMs),
            ...(counterWh === undefined ? {} : { counterWh }),
            due,
            isDue: due.length > 0,
          },
        },
        upsert: true,
      }
    })
  }

  #trackedOf(rule: AlertRule, { device, classroom }: RuleTarget, subject: string): Tracked {
    const key = keyOf(rule._id, subject)
    const known = this.#tracked.get(key)
    if (known !== undefined) return known
    const tracked: Tracked = {
      rule: rule._id,
      subject,
      target: { device, classroom },
      state: { phase: 'normal', sinceMs: 0, lastMs: 0 },
      counterWh: undefined,
      due: [],
      isChanged: false,
    }
    this.#tracked.set(key, tracked)
    return tracked
  }

  /** Times of day have minutes, and readings have many in each. */
  #isActive({ _id, times }: AlertRule, atMs: number, timeZone: string): boolean {
    if (times === undefined) return true
    const key = `${_id.toHexString()} ${timeZone} ${Math.floor(atMs / 60_000)}`
    const known = this.#active.get(key)
    if (known !== undefined) return known
    const isActive = holdsAt(times, atMs, timeZone)
    this.#active.set(key, isActive)
    return isActive
  }
}

const keyOf = (rule: ObjectId, subject: string) => `${rule.toHexString()} ${subject}`
