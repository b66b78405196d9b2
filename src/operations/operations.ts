import type { Document } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { EntityDescription } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import type { Admin } from './admin.js'
import type { CallReport } from './calls/call-monitor.js'
import type { CallObserver } from './calls/call-source.js'
import { Calls } from './calls/calls.js'
import { killOperation, type RunningOperation, runningOperations } from './current-operations.js'
import type { Diagnosis } from './doctor/diagnosis.js'
import { type DoctorParts, diagnose } from './doctor/doctor.js'
import type { IndexAdviceReport } from './indexes/advice.js'
import { dropHiddenIndex, hideIndex, unhideIndex } from './indexes/index-changes.js'
import { indexReport } from './indexes/index-report.js'
import { type IndexUse, indexUse } from './indexes/index-use.js'
import { type CompactResult, compactCollection, type ValidationResult, validateCollection } from './maintenance.js'
import { type FigureParts, FigureReader, type LibraryFigures } from './metrics/library-figures.js'
import {
  parseAdvice,
  parseCleaning,
  parseCollection,
  parseCompact,
  parseIndex,
  parseLimit,
  parseReference,
  parseReferences,
  parseRunning,
  parseSlowQueries,
  parseValidate,
  requireObserver,
} from './operations-options.js'
import {
  type CleanedOrphans,
  cleanOrphans,
  findOrphans,
  type OrphanAction,
  type Orphans,
  type Reference,
} from './orphans.js'
import { byShape, profiledOperations, type RecordedQuery } from './profiler/recorded-queries.js'
import { type ReplicaSetReport, replicaSetReport } from './replica-set-report.js'
import type { Roles } from './roles/roles.js'
import { type ServerReport, ServerStatus } from './server-report.js'
import { collectionSizes, type DatabaseSizes } from './sizes/collection-sizes.js'
import type { SizeRecord } from './sizes/size-record.js'

export interface OperationsParts extends DoctorParts, FigureParts {
  readonly sizeRecords: EntityCollection<SizeRecord>
  /** The references of our entities. */
  readonly references: readonly Reference[]
  /** Whether the collection is none of ours. */
  readonly mayClean: (collection: string) => boolean
}

/** Slow query options: how long to look, and from when on something is slow. */
export interface SlowQueriesOptions {
  /** @default 100 */
  readonly overMs?: number
  /** @default 60,000 */
  readonly forMs?: number
  /** How many shapes are given. @default 20 */
  readonly limit?: number
  /** Ends it earlier. */
  readonly signal?: AbortSignal
}

/**
 * Sees how the database is doing, and what could be better. No answer holds a value of a query or of a document. What the
 * role does not allow is `NOT_AUTHORIZED`; docs/roles.md says which role does.
 * @example
 * const { isHealthy, findings } = await volt.operations.doctor()
 * const wrong = isHealthy ? [] : findings.filter(({ state }) => state === 'problem' || state === 'warning')
 */
export class Operations {
  /** Roles and users of MongoDB's that may do what they need, and no more. */
  readonly roles: Roles
  readonly #admin: Admin
  readonly #parts: OperationsParts
  readonly #status: ServerStatus
  readonly #calls: Calls
  readonly #figures: FigureReader

  constructor(admin: Admin, parts: OperationsParts) {
    this.#admin = admin
    this.#parts = parts
    this.roles = parts.roles
    this.#status = new ServerStatus(admin)
    this.#calls = new Calls(admin.database)
    this.#figures = new FigureReader(admin, parts)
  }

  /** What is wrong, and what to do. Reads some documents, however many there are. */
  doctor(): Promise<Diagnosis> {
    return diagnose(this.#admin, this.#parts)
  }

  /** What the server says of itself: connections, memory, operations and network, since its start and since the last look. */
  server(): Promise<ServerReport> {
    return this.#status.report()
  }

  /** The members of the replica set, their state and lag. */
  replicaSet(): Promise<ReplicaSetReport> {
    return replicaSetReport(this.#admin)
  }

  /** How large the collections and their indexes are, and how they have grown since the last look on a day before. */
  sizes(): Promise<DatabaseSizes> {
    const { database } = this.#admin
    return collectionSizes(this.#admin, this.#parts.sizeRecords, database.clock.now())
  }

  /**
   * Begins to measure the calls of this handle's client on this database; {@link calls} has the figures. Every call costs some
   * microseconds more meanwhile. @returns a function that stops it; the end of the handle does, too.
   * @throws DatabaseError `CONFIGURATION` if the handle was not opened with `monitorCommands`.
   */
  measureCalls(): () => void {
    return this.#calls.measure()
  }

  /**
   * Calls a function whenever this handle's client calls the server on this database, for metrics and traces of your own; no value
   * is in what it is given. @returns a function that stops it; the end of the handle does, too.
   * @throws DatabaseError `CONFIGURATION` as {@link measureCalls}.
   * @example
   * volt.operations.observeCalls(({ collection, command }) => ({ durationMs }) => record(collection, command, durationMs))
   */
  observeCalls(observer: CallObserver): () => void {
    return this.#calls.observe(requireObserver(observer))
  }

  /** How the calls have done since {@link measureCalls}: counts, failures, mean, percentiles, and the slowest hundred by shape. @throws DatabaseError `CONFIGURATION` before that. */
  calls(): CallReport {
    return this.#calls.report()
  }

  /** Begins the figures of {@link calls} anew. */
  resetCalls(): void {
    this.#calls.reset()
  }

  /**
   * Has the server record slow queries for a time, and gives them by shape, those first that took the most time in all. The
   * profiler is put back to what it was at the end; where this process is killed, by the next one that looks.
   * @throws DatabaseError `CONFIGURATION` if somebody profiles already, `NOT_AUTHORIZED` without the right to
   * `enableProfiler`.
   */
  async slowQueries(options: SlowQueriesOptions = {}): Promise<RecordedQuery[]> {
    const { limit, signal, ...chosen } = parseSlowQueries(options)
    const since = this.#admin.database.clock.now()
    await this.#parts.profiler.record({ ...chosen, ...(signal === undefined ? {} : { signal }) })
    const found = await profiledOperations(this.#admin)
    return byShape(found.filter(({ entry }) => entry.ts >= since)).slice(0, limit)
  }

  /** What the profiler has recorded so far, by shape. Changes nothing. */
  async recordedQueries(options: { readonly limit?: number } = {}): Promise<RecordedQuery[]> {
    const { limit } = parseLimit(options)
    await this.#parts.profiler.restoreExpired()
    return byShape(await profiledOperations(this.#admin)).slice(0, limit)
  }

  /** What runs on this database for longer than 3,000 ms, or as long as you say. */
  async running(options: { readonly longerThanMs?: number } = {}): Promise<RunningOperation[]> {
    return runningOperations(this.#admin, parseRunning(options).longerThanMs)
  }

  /** Ends one operation on this database. @param id From {@link running}. @throws DatabaseError if there is none. */
  async kill(id: number | string): Promise<void> {
    return killOperation(this.#admin, id)
  }

  /**
   * What metrics show of the library: ledger, anchors, work, quarantine, backups, sizes. Some small reads, however much data there
   * is; the sizes are at most five minutes old. What the role does not allow is null.
   */
  figures(): Promise<LibraryFigures> {
    return this.#figures.read()
  }

  /** Every index of the database with its size, and how often each member has used it since when. */
  async indexUse(): Promise<IndexUse[]> {
    return indexUse(this.#admin, await this.#collections())
  }

  /**
   * Which indexes nothing uses, which another one makes superfluous, which recorded queries miss, and whether they fit into
   * memory: each with what speaks for it. Changes nothing.
   * @param options `minimumDays`: for how many days an index must have been seen unused. 7 by default.
   */
  async indexAdvice(options: { readonly minimumDays?: number } = {}): Promise<IndexAdviceReport> {
    const { minimumDays } = parseAdvice(options)
    return indexReport(this.#admin, await this.indexUse(), {
      minimumDays,
      declaredFor: declaredForBy(this.#parts.entities()),
    })
  }

  /** Has the planner do without an index, which goes on being kept up. @throws DatabaseError `CONFIGURATION` for a unique one, or one that removes documents. */
  async hideIndex(collection: string, index: string): Promise<void> {
    return hideIndex(this.#admin, parseIndex(collection, index))
  }

  /** Undoes {@link hideIndex}. */
  async unhideIndex(collection: string, index: string): Promise<void> {
    return unhideIndex(this.#admin, parseIndex(collection, index))
  }

  /** Drops an index that is hidden. @returns its description, which `createIndex` takes. @throws DatabaseError `CONFIGURATION` for one that is not hidden. */
  async dropIndex(collection: string, index: string): Promise<Document> {
    return dropHiddenIndex(this.#admin, parseIndex(collection, index))
  }

  /** Has the server check a collection and its indexes, which holds a lock on it meanwhile. */
  async validate(collection: string, options: { readonly full?: boolean } = {}): Promise<ValidationResult> {
    return validateCollection(this.#admin, parseCollection(collection), parseValidate(options).full)
  }

  /** Gives the space of deleted documents back to the disk. @throws DatabaseError `CONFIGURATION` on a primary without `force`. */
  async compact(collection: string, options: { readonly force?: boolean } = {}): Promise<CompactResult> {
    return compactCollection(this.#admin, parseCollection(collection), parseCompact(options).force)
  }

  /** The documents whose references lead to nothing: those of our entities, and yours. Changes nothing. */
  async orphans(references: readonly Reference[] = []): Promise<Orphans[]> {
    return findOrphans(this.#admin, [...this.#parts.references, ...parseReferences(references)])
  }

  /**
   * Deletes documents of a collection of yours whose reference leads to nothing, or takes the reference from them. A reference
   * that is absent is none. Only counts unless `dryRun` is false. In batches that yield to replication; it can be broken off.
   * @throws DatabaseError `CONFIGURATION` for a collection of ours, whose documents have repositories, and for `delete` where
   * the reference is a list; ValidationError.
   */
  async cleanOrphans(
    reference: Reference,
    options: { readonly action: OrphanAction; readonly dryRun?: boolean; readonly signal?: AbortSignal },
  ): Promise<CleanedOrphans> {
    const given = parseReference(reference)
    if (!this.#parts.mayClean(given.collection))
      throw new DatabaseError('CONFIGURATION', `${given.collection} is the library's: change it by its repository`)
    return cleanOrphans(this.#admin, given, parseCleaning(options))
  }

  async #collections(): Promise<string[]> {
    const { native } = this.#admin.database
    const found = await native.listCollections({ type: 'collection' }, { nameOnly: true }).toArray()
    return found.map(({ name }) => name).filter((name) => !name.startsWith('system.'))
  }
}

function declaredForBy(entities: readonly EntityDescription[]) {
  return ({ collection, key }: Pick<IndexUse, 'collection' | 'key'>): string | null => {
    const entity = entities.find((one) => one.collection === collection)
    const text = JSON.stringify(Object.entries(key))
    return entity?.indexes.find((index) => JSON.stringify(Object.entries(index.key)) === text)?.serves ?? null
  }
}
