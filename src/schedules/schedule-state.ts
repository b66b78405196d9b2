import type { ObjectId } from 'mongodb'
import type { StoreWrite } from '../core/collection/store-query.js'
import { nextOccurrence, type Occurrence } from './occurrences.js'
import { type Schedule, slots } from './schedule.js'
import type { ScheduleSite } from './schedule-sites.js'

/** Schedules of one target are in one part, so that one process sees them in order. */
function slotOf(target: ObjectId): number {
  return Number.parseInt(target.toHexString().slice(-2), 16) % slots
}

/** The state of a schedule that was created or changed, or whose site has. */
export function stateWrite(schedule: Schedule, site: ScheduleSite | undefined, now: Date): StoreWrite<Schedule> {
  const { _id, __v } = schedule
  // A schedule that is changed meanwhile gets its state by that change.
  const touch = { _id, __v }
  if (site === undefined) return { touch, by: stopped(targetGone(schedule)) }
  const next = schedule.enabled ? nextOccurrence(schedule, site, sinceOf(schedule, now)) : null
  const kept = { classroom: site.classroom, slot: slotOf(schedule.target.id), basis: site.basis }
  return { touch, by: nextUpdate(schedule, site, next, kept) }
}

/** Sets when it runs next, and besides what the caller sets. @param lastError Why the last run was left out. */
export function nextUpdate(
  schedule: Schedule,
  site: ScheduleSite,
  next: Occurrence | null,
  set: object,
  lastError?: string,
) {
  const [error, noError] = lastError === undefined ? [{}, { lastError: '' }] : [{ lastError }, {}]
  if (next !== null)
    return {
      $set: { ...set, ...error, nextAt: next.at, nextKey: next.key },
      $unset: { ...noError, stoppedReason: '' },
    }
  const reason = reasonOf(schedule, site)
  return {
    $set: { ...set, ...error, ...(reason === undefined ? {} : { stoppedReason: reason }) },
    $unset: { ...noError, nextAt: '', nextKey: '', ...(reason === undefined ? { stoppedReason: '' } : {}) },
  }
}

export function stopped(reason: string) {
  return { $set: { stoppedReason: reason }, $unset: { nextAt: '', nextKey: '' } }
}

export function targetGone({ target }: Pick<Schedule, 'target'>): string {
  return `its ${target.kind}, or the classroom of that, is not there any more`
}

/** A run that is due already and was not done yet stays. */
function sinceOf({ nextAt }: Schedule, now: Date): Date {
  return nextAt === undefined || nextAt > now ? now : new Date(nextAt.getTime() - 1)
}

/** Why it has no next run, where it does not say so itself. */
function reasonOf({ enabled, rule, validUntil }: Schedule, { place }: ScheduleSite): string | undefined {
  if (!enabled) return undefined
  if (rule.type === 'sun' && place === undefined) return 'the calendar of its site has no place'
  return validUntil === undefined ? 'it has no run in the next years' : undefined
}
