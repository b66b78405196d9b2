import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreFilter, StoreWrite } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { withHeldLease } from '../core/held-lease.js'
import { isLate, planDue } from './missed-runs.js'
import { nextOccurrence, type Occurrence, type OccurrenceRules, type OccurrenceSite } from './occurrences.js'
import { notUnderControl, outOfControl, type Rights } from './owner-rights.js'
import { type Schedule, slots } from './schedule.js'
import type { DueAction, ScheduleAction } from './schedule-action.js'
import type { ScheduleSites, TargetSite } from './schedule-sites.js'
import { nextUpdate, stateWrite, stopped, targetGone } from './schedule-state.js'

/** Schedule run: what a call of `run` has done. */
export interface ScheduleRun {
  /** Due actions that were handed over. */
  readonly done: number
  /** Runs that were missed and not made good. */
  readonly missed: number
  /** Actions that could not be handed over; they are tried again. */
  readonly failed: number
}

type Counts = { -readonly [Name in keyof ScheduleRun]: number }

/** A schedule that is due, with what is to be done for it. */
interface Planned {
  readonly schedule: Schedule
  readonly site: TargetSite
  readonly due: Occurrence
  readonly runs: Occurrence[]
  missed: { count: number; lastDueAt: Date } | null
  readonly next: Occurrence | null
  /** Why its runs were left out, where that is no question of time. */
  refused?: string
}

export interface ScheduleWorkerParts {
  readonly sites: ScheduleSites
  readonly action: ScheduleAction
  readonly rights: Rights
}

const atOnce = 500
const leaseMs = 15_000
/** What was read longer ago is read again before anything comes of it: the process may have been frozen. */
const freshMs = 5_000
const lookAtSitesEveryMs = 60_000

/** Does what is due, a part of the schedules at a time under a lease. */
export class ScheduleWorker {
  readonly #database: Database
  readonly #schedules: EntityCollection<Schedule>
  readonly #sites: ScheduleSites
  readonly #action: ScheduleAction
  readonly #rights: Rights
  #sitesLookedAtMs = Number.NEGATIVE_INFINITY

  constructor(database: Database, entity: Entity<Schedule>, { sites, action, rights }: ScheduleWorkerParts) {
    this.#database = database
    this.#schedules = database.of(entity, { isDurable: true, isOutside: true })
    this.#sites = sites
    this.#action = action
    this.#rights = rights
  }

  /** Until nothing is due that no other process works on, or the signal. */
  async run(signal: AbortSignal): Promise<ScheduleRun> {
    const counts: Counts = { done: 0, missed: 0, failed: 0 }
    await this.#followSites()
    const all = Array.from({ length: slots }, (_, slot) => slot)
    const due = await this.#schedules.for('run').findOne(this.#due({ $in: all }), { projection: { _id: 1 } })
    if (due === null) return counts
    const first = Math.floor(Math.random() * slots)
    for (let at = 0; at < slots && !signal.aborted; at += 1) {
      const slot = (first + at) % slots
      const isDue = await this.#schedules.for('run').findOne(this.#due(slot), { projection: { _id: 1 } })
      if (isDue === null) continue
      const name = `schedules:${slot}`
      await withHeldLease(this.#database, { name, durationMs: leaseMs, waitMs: 0 }, (_, held) =>
        this.#runSlot(slot, AbortSignal.any([signal, held]), counts),
      )
    }
    return counts
  }

  /** In pages: what fails stays due, and is not to stand before others. */
  async #runSlot(slot: number, signal: AbortSignal, counts: Counts): Promise<void> {
    const after = { nextAt: new Date(0), _id: undefined as ObjectId | undefined }
    while (!signal.aborted) {
      const readMs = performance.now()
      const page = await this.#page(slot, after)
      await this.#runPage(page, readMs, signal, counts)
      const last = page.at(-1)
      if (page.length < atOnce || last?.nextAt === undefined) return
      after.nextAt = last.nextAt
      after._id = last._id
    }
  }

  #page(slot: number, { nextAt, _id }: { readonly nextAt: Date; readonly _id: ObjectId | undefined }) {
    const sort = { slot: 1, nextAt: 1, _id: 1 } as const
    const due = this.#due(slot)
    const following =
      _id === undefined ? due : { $and: [due, { $or: [{ nextAt: { $gt: nextAt } }, { nextAt, _id: { $gt: _id } }] }] }
    return this.#schedules.for('run').find(following, { sort, limit: atOnce })
  }

  #due(slot: unknown): StoreFilter<Schedule> {
    return { slot, nextAt: { $lte: this.#database.clock.now() } }
  }

  async #runPage(page: readonly Schedule[], readMs: number, signal: AbortSignal, counts: Counts): Promise<void> {
    if (page.length === 0) return
    const sites = await this.#sites.ofTargets(page.map(({ target }) => target))
    const now = this.#database.clock.now()
    const next = memoized()
    const planned: Planned[] = []
    const writes: StoreWrite<Schedule>[] = []
    for (const schedule of page) {
      const site = sites.get(schedule.target.id.toHexString())
      const due = dueOf(schedule)
      if (site === undefined) writes.push({ touch: seen(schedule), by: stopped(targetGone(schedule)) })
      else planned.push({ schedule, site, due, ...planDue(schedule, due, site, now, next) })
    }
    leaveOutReplaced(planned, now)
    const running = planned.filter(({ runs }) => runs.length > 0)
    for (const one of await outOfControl(running, this.#rights())) refuse(one)
    if (signal.aborted || performance.now() - readMs > freshMs) return
    const failed = await this.#handOver(planned, counts)
    const done = planned.filter(({ schedule }) => !failed.has(schedule))
    writes.push(
      ...done.map((one) => doneWrite(one, now)),
      ...[...failed].map(([schedule, reason]) => failedWrite(schedule, reason)),
    )
    await this.#schedules.for('run').bulkWrite(writes, { isUnordered: true, isTrusted: true })
    counts.missed += done.reduce((sum, { missed }) => sum + (missed?.count ?? 0), 0)
  }

  /** @returns the schedules whose actions failed, with the reason. */
  async #handOver(planned: readonly Planned[], counts: Counts): Promise<Map<Schedule, string>> {
    const failed = new Map<Schedule, string>()
    const groups = planned.map((one) => ({ one, actions: one.runs.map((run) => actionOf(one, run)) }))
    const actions = groups.flatMap((group) => group.actions).toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
    if (actions.length === 0) return failed
    try {
      await this.#action(actions)
      counts.done += actions.length
    } catch {
      // One of them may be what fails: each gets its chance.
      for (const group of groups) {
        if (group.actions.length === 0) continue
        try {
          await this.#action(group.actions)
          counts.done += group.actions.length
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          this.#database.logger.warn({ schedule: group.one.schedule._id, reason }, 'a due action failed')
          failed.set(group.one.schedule, reason.slice(0, 500))
          counts.failed += group.actions.length
        }
      }
    }
    return failed
  }

  /** Computes anew what depends on a zone, a place or holidays that have changed, or on other rules of time zones. */
  async #followSites(): Promise<void> {
    if (performance.now() - this.#sitesLookedAtMs < lookAtSitesEveryMs) return
    this.#sitesLookedAtMs = performance.now()
    await withHeldLease(this.#database, { name: 'schedules:sites', durationMs: leaseMs, waitMs: 0 }, async () => {
      const groups = await this.#schedules
        .for('followSites')
        .aggregate<{ _id: { classroom?: ObjectId; basis?: string } }>(
          [{ $group: { _id: { classroom: '$classroom', basis: '$basis' } } }],
          { hint: { classroom: 1, basis: 1 } },
        )
      const sites = await this.#sites.find(groups.flatMap(({ _id }) => _id.classroom ?? []))
      for (const { _id } of groups) {
        if (sites.get(_id.classroom?.toHexString() ?? '')?.basis !== _id.basis) await this.#restate(_id)
      }
    })
  }

  async #restate({ classroom, basis }: { readonly classroom?: ObjectId; readonly basis?: string }): Promise<void> {
    const schedules = await this.#schedules
      .for('followSites')
      .find({ classroom: classroom ?? null, basis: basis ?? null })
    for (let at = 0; at < schedules.length; at += atOnce) {
      const some = schedules.slice(at, at + atOnce)
      const sites = await this.#sites.ofTargets(some.map(({ target }) => target))
      const now = this.#database.clock.now()
      const writes = some.map((one) => stateWrite(one, sites.get(one.target.id.toHexString()), now))
      await this.#schedules.for('followSites').bulkWrite(writes, { isUnordered: true })
    }
  }
}

/** The same rule at the same place comes to the same: many schedules of a site are due at once. */
function memoized(): typeof nextOccurrence {
  const known = new Map<string, Occurrence | null>()
  return (rules: OccurrenceRules, site: OccurrenceSite & { readonly basis?: string }, after: Date) => {
    const { rule, onHolidays, validFrom, validUntil } = rules
    const key = JSON.stringify([rule, onHolidays, validFrom, validUntil, site.basis, after.getTime()])
    const found = known.get(key)
    if (found !== undefined) return found
    const next = nextOccurrence(rules, site, after)
    known.set(key, next)
    return next
  }
}

/** Of missed runs of one target the last decides what state it is in: what was to be before is left out. */
function leaveOutReplaced(planned: readonly Planned[], now: Date): void {
  const late = planned.filter(
    ({ schedule, runs }) => schedule.missedRuns === 'latest' && runs[0] && isLate(runs[0], now),
  )
  const last = new Map<string, Planned>()
  for (const one of late) {
    const key = one.schedule.target.id.toHexString()
    const other = last.get(key)
    const [earlier, later] = other !== undefined && atOf(other) > atOf(one) ? [one, other] : [other, one]
    last.set(key, later)
    if (earlier === undefined) continue
    leaveOut(earlier, atOf(earlier))
  }
}

/** Runs that the owner has no right to any more. */
function refuse(one: Planned): void {
  const last = one.runs.at(-1)
  if (last === undefined) return
  leaveOut(one, last.at.getTime())
  one.refused = notUnderControl
}

function leaveOut(one: Planned, lastDueAtMs: number): void {
  one.missed = { count: (one.missed?.count ?? 0) + one.runs.length, lastDueAt: new Date(lastDueAtMs) }
  one.runs.length = 0
}

function atOf({ runs }: Planned): number {
  return runs[0]?.at.getTime() ?? 0
}

function dueOf({ nextAt = new Date(0), nextKey = '' }: Schedule): Occurrence {
  return { key: nextKey, at: nextAt }
}

function actionOf({ schedule, site }: Planned, run: Occurrence): DueAction {
  const { _id, owner, target, action } = schedule
  return {
    key: `${_id.toHexString()} ${run.key}`,
    schedule: _id,
    owner,
    target,
    device: site.device,
    classroom: site.classroom,
    command: action.command,
    parameters: action.parameters ?? {},
    dueAt: run.at,
  }
}

/** The schedule as it was read: one that was changed, or done by another process, is left as it is. */
function seen({ _id, nextAt, nextKey }: Schedule): StoreFilter<Schedule> {
  return { _id, nextAt, nextKey }
}

function doneWrite({ schedule, site, runs, missed, next, refused }: Planned, doneAt: Date): StoreWrite<Schedule> {
  const last = runs.at(-1)
  const count = (schedule.missed?.count ?? 0) + (missed?.count ?? 0)
  const set = {
    classroom: site.classroom,
    basis: site.basis,
    ...(last === undefined ? {} : { lastRun: { key: last.key, dueAt: last.at, doneAt } }),
    ...(missed === null ? {} : { missed: { count, lastDueAt: missed.lastDueAt } }),
  }
  return { touch: seen(schedule), by: nextUpdate(schedule, site, next, set, refused) }
}

function failedWrite(schedule: Schedule, reason: string): StoreWrite<Schedule> {
  return { touch: seen(schedule), by: { $set: { lastError: reason } } }
}
