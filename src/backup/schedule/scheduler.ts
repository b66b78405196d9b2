import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import { withHeldLease } from '../../core/held-lease.js'
import type { Lease } from '../../core/lease.js'
import { redactCredentials } from '../../core/redact.js'
import { translateError } from '../../core/translate-error.js'
import type { BackupSchedule, backupScheduleEntity } from './schedule-entity.js'

/** Scheduled backup: what a scheduled run has made. */
export type ScheduledBackup = NonNullable<BackupSchedule['lastBackup']>

/** Slice status: how the slices of the oplog are doing. */
export interface SliceStatus {
  readonly lastSuccessAt: Date | null
  /** How old the last success is, by the server's clock; null if there is none. */
  readonly ageMs: number | null
  /** The last second that can be restored; null if none was reached. */
  readonly reachableUntil: Date | null
  /** Failures since the last success. */
  readonly failures: number
  readonly lastError: string | null
}

/** Backup status: how the backups of a database are doing. */
export interface BackupStatus {
  readonly lastSuccessAt: Date | null
  /** How old the last success is, by the server's clock; null if there is none. */
  readonly ageMs: number | null
  /** When the next one is due; null where none is scheduled. */
  readonly nextAt: Date | null
  readonly lastBackup: ScheduledBackup | null
  /** Failures since the last success. */
  readonly failures: number
  readonly lastError: string | null
  /** When a backup was last restored on trial; null if none ever was. */
  readonly lastDrillAt: Date | null
  /** Of point-in-time restores; null where no slices are made. */
  readonly slices: SliceStatus | null
}

const leaseMs = 60_000
const firstRetryMs = 60_000
const longestPollMs = 60_000
const shortestPollMs = 100
const longestError = 1000

/** Scheduled run: what a run has made; nothing where there was nothing to make. */
export interface ScheduledRun {
  readonly made?: ScheduledBackup
  readonly reachableUntil?: Date
}

/** Has backups, or slices, made by one process at a time, whichever comes first; what is written of them is there for all. */
export class BackupScheduler {
  readonly #database: Database
  readonly #schedules: EntityCollection<BackupSchedule>
  readonly #name: BackupSchedule['name']

  constructor(database: Database, entity: typeof backupScheduleEntity, name: BackupSchedule['name']) {
    this.#database = database
    this.#name = name
    this.#schedules = database.of(entity, { isDurable: true })
  }

  /** Looks now and then whether one is due, and makes it. @returns a function that stops it, and waits for one under way. */
  start(everyMs: number, make: (signal: AbortSignal) => Promise<ScheduledRun>): () => Promise<void> {
    const pollMs = Math.max(shortestPollMs, Math.min(everyMs / 10, longestPollMs))
    const work = (stopped: AbortSignal) => this.#turn(everyMs, make, stopped)
    return this.#database.periodic.start({ name: this.#name, everyMs: pollMs, work })
  }

  async status(): Promise<Omit<BackupStatus, 'slices'>> {
    const [found, now] = [await this.#schedules.findOne({ name: this.#name }), await this.#serverNow()]
    return {
      ...stateOf(found, now),
      nextAt: found?.everyMs === undefined ? null : new Date(Math.max(dueMs(found, found.everyMs), now.getTime())),
      lastBackup: found?.lastBackup ?? null,
      lastDrillAt: found?.lastDrillAt ?? null,
    }
  }

  /** Null where none was ever made, nor tried. */
  async sliceStatus(): Promise<SliceStatus | null> {
    const [found, now] = [await this.#schedules.findOne({ name: this.#name }), await this.#serverNow()]
    return found === null ? null : { ...stateOf(found, now), reachableUntil: found.reachableUntil ?? null }
  }

  /** Notes what was made, by the schedule or by hand. */
  async noteSuccess({ made, reachableUntil }: ScheduledRun): Promise<void> {
    const fields = {
      lastSuccessAt: await this.#serverNow(),
      failures: 0,
      ...(made === undefined ? {} : { lastBackup: made }),
      ...(reachableUntil === undefined ? {} : { reachableUntil }),
    }
    await this.#set(fields, { lastError: 1, lastFailureAt: 1 })
  }

  async noteStart(): Promise<void> {
    await this.#set({ lastStartedAt: await this.#serverNow() }, {})
  }

  /** Has the next one made at once, where there is a schedule. */
  async request(): Promise<void> {
    await this.#set({ requestedAt: await this.#serverNow() }, {})
  }

  async noteDrill(): Promise<void> {
    await this.#set({ lastDrillAt: await this.#serverNow() }, {})
  }

  async #turn(
    everyMs: number,
    make: (signal: AbortSignal) => Promise<ScheduledRun>,
    stopped: AbortSignal,
  ): Promise<void> {
    if (!(await this.#isDue(everyMs))) return
    const lease = { name: this.#name === 'backup' ? 'backup' : 'backup-slice', durationMs: leaseMs, waitMs: 0 }
    await withHeldLease(this.#database, lease, async (held, lost) => {
      // Another process may have made it while this one asked.
      if (!(await this.#isDue(everyMs))) return
      await this.#underGuard(held, { everyMs, lastStartedAt: await this.#serverNow() }, { requestedAt: 1 })
      try {
        await this.noteSuccess(await make(AbortSignal.any([lost, stopped])))
      } catch (error) {
        // One that was stopped is no failure: it is due as before.
        if (!stopped.aborted && !lost.aborted) await this.#noteFailure(held, error)
        throw error
      }
    })
  }

  async #isDue(everyMs: number): Promise<boolean> {
    const [found, now] = [await this.#schedules.findOne({ name: this.#name }), await this.#serverNow()]
    return found === null || now.getTime() >= dueMs(found, everyMs)
  }

  async #noteFailure(lease: Lease, error: unknown): Promise<void> {
    const translated = translateError(error)
    const message = redactCredentials(translated instanceof Error ? translated.message : String(translated))
    const lastError = message.slice(0, longestError)
    const found = await this.#schedules.findOne({ name: this.#name })
    const failures = (found?.failures ?? 0) + 1
    this.#database.logger.error({ reason: lastError, failures }, `the ${this.#name} failed`)
    await this.#underGuard(lease, { lastError, failures, lastFailureAt: await this.#serverNow() }, {})
  }

  /** Writes only as long as the lease is held. */
  async #underGuard(lease: Lease, fields: Partial<BackupSchedule>, unset: Record<string, 1>): Promise<void> {
    await this.#database.transactions.run(async () => {
      await lease.guard()
      await this.#set(fields, unset)
    })
  }

  async #set(fields: Partial<BackupSchedule>, unset: Record<string, 1>): Promise<void> {
    const isFirst = fields.failures === undefined ? { $setOnInsert: { failures: 0 } } : {}
    const removal = Object.keys(unset).length === 0 ? {} : { $unset: unset }
    await this.#schedules.updateOne({ name: this.#name }, { $set: fields, ...removal, ...isFirst }, { upsert: true })
  }

  async #serverNow(): Promise<Date> {
    try {
      const { localTime } = await this.#database.native.command({ hello: 1 }, { readPreference: 'primary' })
      return localTime
    } catch (error) {
      throw translateError(error)
    }
  }
}

function stateOf(found: BackupSchedule | null, now: Date) {
  const lastSuccessAt = found?.lastSuccessAt ?? null
  return {
    lastSuccessAt,
    ageMs: lastSuccessAt === null ? null : now.getTime() - lastSuccessAt.getTime(),
    failures: found?.failures ?? 0,
    lastError: found?.lastError ?? null,
  }
}

/** When a backup is due: some time after the last one, and sooner after a failure. What was missed is due at once. */
function dueMs({ lastSuccessAt, lastFailureAt, failures, requestedAt }: BackupSchedule, everyMs: number): number {
  const isAsked = lastSuccessAt === undefined || requestedAt !== undefined
  const regularMs = isAsked ? 0 : lastSuccessAt.getTime() + everyMs
  if (failures === 0 || lastFailureAt === undefined) return regularMs
  const restMs = Math.min(everyMs, firstRetryMs * 2 ** Math.min(failures - 1, 20))
  return Math.max(regularMs, lastFailureAt.getTime() + restMs)
}
