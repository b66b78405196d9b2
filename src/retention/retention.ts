import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { EntityDescription } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { withHeldLease } from '../core/held-lease.js'
import { abortSignal, everyMs } from '../core/option-schemas.js'
import { compileFilter } from '../core/repository/compile-filter.js'
import { validateData } from '../core/validate.js'
import { bringBack, letGo, type Progress } from './let-go.js'
import { type CheckedPolicy, checkPolicies, type RetentionPolicy } from './policy.js'
import type { RetentionArchive } from './retention-archive.js'
import type { RetentionRun } from './retention-run.js'

export interface RetentionParts {
  readonly runs: EntityCollection<RetentionRun>
  readonly archives: EntityCollection<RetentionArchive>
  /** All entities of the handle. */
  readonly entities: () => readonly EntityDescription[]
  /** The collections that policies may be about. */
  readonly mayGo: () => ReadonlySet<string>
}

/** Retention report: what a policy has let go, or would. */
export interface RetentionReport {
  readonly policy: string
  readonly collection: string
  /** Documents with an earlier date go. */
  readonly before: Date
  /** Of a dry run: how many would go. */
  readonly due: number
  readonly archived: number
  readonly deleted: number
  /** Whether nothing was left; false where it was stopped. */
  readonly isComplete: boolean
}

const optionsSchema = z.strictObject({ dryRun: z.boolean().default(false), signal: abortSignal().optional() })
const startSchema = z.strictObject({ everyMs: everyMs().default(3_600_000) })
const backSchema = z.strictObject({
  from: z.string().min(1).max(100),
  collection: z.string().min(1).max(255),
  filter: z.unknown().optional(),
})
const leaseMs = 60_000
const longestError = 1_000

/**
 * Lets old documents go by policies: deletes them, or copies them to an archive first. In batches, with rests, one process at a
 * time; a run that was killed is gone on with by the next one.
 * @example
 * const old = { name: 'old activities', collection: 'activity_logs', field: 'timestamp', olderThanDays: 365 }
 * const [report] = await volt.retention.run([old], { dryRun: true })
 */
export class RetentionService {
  readonly #database: Database
  readonly #parts: RetentionParts

  constructor(database: Database, parts: RetentionParts) {
    this.#database = database
    this.#parts = parts
  }

  /**
   * Runs the policies, one after the other.
   * @param options `dryRun` counts what would go, and changes nothing. `signal` stops it after the batch that is under way.
   * @throws DatabaseError `CONFIGURATION` for a policy that cannot be used, `LEASE_LOST` while another process runs policies.
   */
  async run(
    policies: readonly RetentionPolicy[],
    options: { readonly dryRun?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<RetentionReport[]> {
    const { dryRun, signal } = validateData(optionsSchema, options, 'The options')
    const checked = checkPolicies(policies, this.#parts.entities(), this.#parts.mayGo())
    if (dryRun) return this.#count(checked)
    const done = await this.#runAll(checked, signal ?? this.#database.closing)
    if (done === null) throw new DatabaseError('LEASE_LOST', 'Another process runs retention policies; try again later')
    return done
  }

  /** Runs the policies every hour, or as often as you say, in any number of processes. @returns a function that stops it. */
  start(policies: readonly RetentionPolicy[], options: { readonly everyMs?: number } = {}): () => Promise<void> {
    const { everyMs } = validateData(startSchema, options, 'The options')
    const checked = checkPolicies(policies, this.#parts.entities(), this.#parts.mayGo())
    const work = (signal: AbortSignal) => this.#runAll(checked, signal)
    return this.#database.periodic.start({ name: 'retention', everyMs, work })
  }

  /** The last runs, the newest first. */
  runs(): Promise<RetentionRun[]> {
    return this.#parts.runs.for('runs').find({}, { sort: { startedAt: -1 }, limit: 100 })
  }

  /**
   * Brings documents back from an archive into the collection that they came from, and takes them out of the archive.
   * @returns how many. @throws ConflictError where one is there already; DatabaseError `CONFIGURATION` for names that are none.
   */
  async bringBack(which: {
    readonly from: string
    readonly collection: string
    readonly filter?: object
  }): Promise<number> {
    const { from, collection, filter = {} } = validateData(backSchema, which, 'What is brought back')
    const entities = this.#parts.entities()
    const entity = entities.find((one) => one.collection === collection)
    if (entity === undefined || !this.#parts.mayGo().has(collection) || entities.some((one) => one.collection === from))
      throw new DatabaseError('CONFIGURATION', 'Documents come back from an archive into the collection of an entity')
    return bringBack(this.#database, from, collection, compileFilter(entity, filter))
  }

  /** @returns null where another process has the lease. */
  async #runAll(policies: readonly CheckedPolicy[], signal: AbortSignal): Promise<RetentionReport[] | null> {
    const held = await withHeldLease(
      this.#database,
      { name: 'retention', durationMs: leaseMs, waitMs: 0 },
      async (lease, lost) => {
        const reports: RetentionReport[] = []
        const guard = () => this.#database.transactions.run(() => lease.guard())
        for (const policy of policies) reports.push(await this.#runOne(policy, guard, AbortSignal.any([signal, lost])))
        return reports
      },
    )
    return held === null ? null : held.result
  }

  async #runOne(policy: CheckedPolicy, guard: () => Promise<void>, signal: AbortSignal): Promise<RetentionReport> {
    const { name, entity } = policy
    const startedAt = this.#database.clock.now()
    const before = new Date(startedAt.getTime() - policy.olderThanMs)
    const progress: Progress = { archived: 0, deleted: 0 }
    const { collection } = entity
    const archives = this.#parts.archives.for('run')
    const begun = { policy: name, source: collection, before, startedAt, ...progress, isComplete: false }
    const { _id } = await this.#parts.runs.for('run').insertOne(begun)
    const end = (rest: object) =>
      this.#parts.runs
        .for('run')
        .updateOne({ _id }, { $set: { ...progress, endedAt: this.#database.clock.now(), ...rest } })
    try {
      const isComplete = await letGo(this.#database, policy, before, { progress, guard, signal, archives })
      await end({ isComplete })
      return { policy: name, collection, before, due: progress.deleted, ...progress, isComplete }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      await end({ error: message.slice(0, longestError) })
      throw error
    }
  }

  async #count(policies: readonly CheckedPolicy[]): Promise<RetentionReport[]> {
    const now = this.#database.clock.now().getTime()
    const reports: RetentionReport[] = []
    for (const { name, entity, field, filter, olderThanMs } of policies) {
      const before = new Date(now - olderThanMs)
      const due = await this.#database.native
        .collection(entity.collection)
        .countDocuments({ ...filter, [field]: { $lt: before } })
      reports.push({
        policy: name,
        collection: entity.collection,
        before,
        due,
        archived: 0,
        deleted: 0,
        isComplete: due === 0,
      })
    }
    return reports
  }
}
