import { nextOccurrence, type Occurrence, type OccurrenceRules, type OccurrenceSite } from './occurrences.js'
import type { Schedule } from './schedule.js'

/** What a schedule that is due comes to. */
export interface DuePlan {
  /** Runs that are to be done now, in order. */
  readonly runs: Occurrence[]
  /** Runs that were missed and are not made good: how many, and the last. */
  readonly missed: { readonly count: number; readonly lastDueAt: Date } | null
  readonly next: Occurrence | null
}

/** A run this late was missed. */
const onTimeMs = 60_000
const defaultCatchUpMs = 3_600_000
const mostRuns = 100
/** Beyond so many missed runs only the last are looked at. */
const mostMissed = 10_000

export type Next = (rules: OccurrenceRules, site: OccurrenceSite, after: Date) => Occurrence | null

/** What is to be done at an instant for a schedule whose next run was `due`. */
export function planDue(
  schedule: OccurrenceRules & Pick<Schedule, 'missedRuns' | 'catchUpMs'>,
  due: Occurrence,
  site: OccurrenceSite,
  now: Date,
  nextOf: Next = nextOccurrence,
): DuePlan {
  const passed = [due]
  let next = nextOf(schedule, site, due.at)
  while (next !== null && next.at <= now) {
    if (passed.length >= mostMissed) {
      next = nextOf(schedule, site, now)
      break
    }
    passed.push(next)
    next = nextOf(schedule, site, next.at)
  }
  const runs = made(schedule, passed, now)
  const left = passed.filter((one) => !runs.includes(one))
  const last = left.at(-1)
  return { runs, missed: last === undefined ? null : { count: left.length, lastDueAt: last.at }, next }
}

function made(
  { missedRuns, catchUpMs = defaultCatchUpMs }: Pick<Schedule, 'missedRuns' | 'catchUpMs'>,
  passed: readonly Occurrence[],
  now: Date,
): Occurrence[] {
  const lateness = ({ at }: Occurrence) => now.getTime() - at.getTime()
  const limitMs = missedRuns === 'skip' ? onTimeMs : Math.max(catchUpMs, onTimeMs)
  const inTime = passed.filter((one) => lateness(one) <= limitMs)
  return inTime.slice(missedRuns === 'all' ? -mostRuns : -1)
}

/** Whether the run was missed: another one of the same target that was due later takes its place. */
export function isLate({ at }: Occurrence, now: Date): boolean {
  return now.getTime() - at.getTime() > onTimeMs
}
