import type { ObjectId } from 'mongodb'
import type { AuditLog } from '../activity/audit-log.js'
import type { DataAccess } from '../activity/data-access.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { DatabaseError, NotFoundError } from '../core/errors.js'
import { objectId, toObjectId } from '../core/fields.js'
import { withHeldLease } from '../core/held-lease.js'
import type { Lease } from '../core/lease.js'
import { personHash } from '../core/person-hash.js'
import { validateData } from '../core/validate.js'
import { type DataAccessOptions, dataAccessesOf } from './data-accesses.js'
import { Eraser, type EraserParts, notDeclared } from './eraser.js'
import { type Erasure, type ErasureReport, reportOf } from './erasure.js'
import { type ExportHead, htmlOf, jsonOf } from './export-text.js'
import { heldAbout } from './held-about.js'
import type { Hold } from './hold.js'
import type { KnownUser } from './person.js'
import {
  type ErasedPerson,
  eraseSchema,
  holdSchema,
  listSchema,
  parseErasedPerson,
  runSchema,
} from './privacy-inputs.js'
import { type PseudonymousQuestion, type PseudonymousRow, pseudonymousRows } from './pseudonymous-rows.js'

/** Hold options: why a person may not be erased, and until when. */
export interface HoldOptions {
  /** Such as `dispute 12`; it is in the error. */
  readonly reason: string
  /** Until then. @default until it is released */
  readonly until?: Date
}

const leaseMs = 60_000
const usersAtOnce = 1_000
const again = 'repeated: the person was back'

/**
 * What is held about a person: shows it, and erases it in all collections. What is personal is declared with each entity (`personal`).
 * @example
 * const report = await volt.privacy.erase(user, { reason: 'request of 3 March' })
 */
export class PrivacyService {
  readonly #database: Database
  readonly #parts: EraserParts
  readonly #eraser: Eraser
  readonly #erasures: EntityCollection<Erasure>
  readonly #holds: EntityCollection<Hold>
  readonly #users: EntityCollection<KnownUser>
  readonly #auditLog: AuditLog

  constructor(parts: EraserParts) {
    const { database } = parts
    this.#database = database
    this.#parts = parts
    this.#eraser = new Eraser(parts)
    this.#erasures = database.of(parts.erasures, { isOutside: true })
    this.#holds = database.of(parts.holds)
    this.#users = database.of(parts.users)
    this.#auditLog = parts.auditLog
  }

  /**
   * All that is held about a person, as JSON in pieces: `{ person, exportedAt, notDeclared, documents: [{ collection, entity, because, document }] }`.
   * Secrets are not in it, nor who else is named. It is audited.
   * @throws ValidationError, NotFoundError.
   * @example
   * await pipeline(volt.privacy.export(user), createWriteStream('person.json'))
   */
  async *export(user: ObjectId | string): AsyncGenerator<string, void, undefined> {
    const { head, held } = await this.#held(user)
    yield* jsonOf(head, held)
  }

  /** As {@link export}, as an HTML page. @throws ValidationError, NotFoundError. */
  async *exportHtml(user: ObjectId | string): AsyncGenerator<string, void, undefined> {
    const { head, held } = await this.#held(user)
    yield* htmlOf(head, held)
  }

  /**
   * Erases a person in all collections, by what each entity declares. It takes as long as it takes, one process at a time; one that was
   * killed or stopped is gone on with by the same call, or by {@link resume}.
   * @param options Why, which is audited and kept; `signal` stops it after the batch that is under way: its report is `running`.
   * @throws ValidationError; NotFoundError for nobody; DatabaseError `ERASURE_HELD` while something holds the person; ConflictError while
   * somebody has to end something first, such as open orders; `LEASE_LOST`, retryable, while another process erases.
   */
  async erase(
    user: ObjectId | string,
    options: { readonly reason: string; readonly signal?: AbortSignal },
  ): Promise<ErasureReport> {
    const id = toObjectId(user, 'user')
    const { reason, signal = this.#database.closing } = validateData(eraseSchema, options, 'The options')
    return this.#exclusively(async (lease, lost) => {
      const erasure = await this.#eraser.begin({ user: id, reason }, lease)
      return reportOf(await this.#run(erasure, lease, { signal, lost }))
    })
  }

  /** Goes on with erasures that were cut off, and takes up what was kept and is kept no longer. Persons that are held are left. */
  async resume(options: { readonly signal?: AbortSignal } = {}): Promise<ErasureReport[]> {
    const { signal = this.#database.closing } = validateData(runSchema, options, 'The options')
    return this.#exclusively(async (lease, lost) => {
      const now = this.#database.clock.now()
      const due = { $or: [{ state: 'running' }, { state: 'waiting', dueAt: { $lte: now } }] }
      const reports: ErasureReport[] = []
      for (const found of await this.#erasures.for('resume').find(due, { sort: { _id: 1 } })) {
        const erasure = found.state === 'waiting' ? await this.#eraser.reopen(found, lease) : found
        const ended = await unlessHeld(() => this.#run(erasure, lease, { signal, lost }))
        if (ended !== undefined) reports.push(reportOf(ended))
      }
      return reports
    })
  }

  /** Those who were erased, to be kept outside the database, for {@link repeat}. */
  async *erased(): AsyncGenerator<ErasedPerson, void, undefined> {
    for await (const { subject, requestedAt, keyDestroyedAt } of this.#erasures
      .for('erased')
      .stream({}, { sort: { _id: 1 } }))
      yield { subject, requestedAt, ...(keyDestroyedAt === undefined ? {} : { keyDestroyedAt }) }
  }

  /**
   * Erases those again who are back, such as by a restore: `volt.backup.restore` does so by itself. It reads the ids of all users.
   * @throws ValidationError; DatabaseError `LEASE_LOST`, retryable, while another process erases.
   * @param erased A list of {@link PrivacyService.erased} from elsewhere, where the database does not know all of them.
   */
  async repeat(erased: Iterable<ErasedPerson> | AsyncIterable<ErasedPerson> = []): Promise<ErasureReport[]> {
    const given = validateData(listSchema, erased, 'The list of erased persons')
    return this.#exclusively(async (lease, lost) => {
      for await (const one of given) await this.#know(parseErasedPerson(one))
      await this.#destroyKeys()
      const reports: ErasureReport[] = []
      for await (const user of this.#returned()) {
        const ended = await unlessHeld(async () => {
          const erasure = await this.#eraser.begin({ user, reason: again }, lease)
          return this.#run(erasure, lease, { signal: this.#database.closing, lost })
        })
        if (ended !== undefined) reports.push(reportOf(ended))
      }
      return reports
    })
  }

  /**
   * Figures without persons: for each group and person of it a row with a pseudonym. Groups of fewer than `k` people are left out,
   * dates are cut, and only fields count that were declared to be not personal.
   * @throws ValidationError; DatabaseError `CONFIGURATION` for what would show persons.
   * @example
   * const question = { collection: 'devices', person: 'owner', by: ['type'], key }
   * const rows = []
   * for await (const row of volt.privacy.pseudonymous(question)) rows.push(row)
   */
  async *pseudonymous(question: PseudonymousQuestion): AsyncGenerator<PseudonymousRow, void, undefined> {
    yield* pseudonymousRows(this.#database, await this.#parts.entities(), question)
  }

  /**
   * Who has read personal fields of a person through `volt.as(user)`, newest first: by hours and kinds of documents, as far as the host
   * has it recorded (`dataAccessLog`). What was read in the last seconds is not there yet.
   * @throws ValidationError.
   */
  async accesses(user: ObjectId | string, options: DataAccessOptions = {}): Promise<DataAccess[]> {
    return dataAccessesOf(this.#database.of(this.#parts.accesses), toObjectId(user, 'user'), options)
  }

  /** Keeps a person from being erased. One that is being erased is left as it is then, unless the hold is released. @throws ValidationError, NotFoundError. */
  async hold(user: ObjectId | string, options: HoldOptions): Promise<Hold> {
    const _id = toObjectId(user, 'user')
    const { reason, until } = validateData(holdSchema, options, 'The hold')
    return this.#database.transactions.run(async () => {
      if ((await this.#users.findOne({ _id })) === null)
        throw new NotFoundError(this.#parts.users.name, `id ${_id.toHexString()}`)
      const hold = await this.#holds
        .for('hold')
        .insertOne({ user: _id, reason, ...(until === undefined ? {} : { until }) })
      await this.#auditLog.recordEvent({ entity: this.#parts.users, entityId: _id, action: 'hold_placed' })
      return hold
    })
  }

  /** Releases a hold; an erasure that it stopped is gone on with by {@link resume}. @throws NotFoundError. */
  async release(hold: ObjectId | string): Promise<void> {
    const _id = toObjectId(hold, 'hold')
    await this.#database.transactions.run(async () => {
      const found = await this.#holds.for('release').findOne({ _id })
      if (found === null) throw new NotFoundError(this.#parts.holds.name, `id ${_id.toHexString()}`)
      await this.#holds.for('release').deleteOne({ _id })
      await this.#auditLog.recordEvent({ entity: this.#parts.users, entityId: found.user, action: 'hold_released' })
    })
  }

  /** What holds a person. @throws ValidationError. */
  async holds(user: ObjectId | string): Promise<Hold[]> {
    return this.#holds.for('holds').find({ user: toObjectId(user, 'user') }, { sort: { _id: 1 }, limit: 1_000 })
  }

  async #held(user: ObjectId | string): Promise<{ head: ExportHead; held: ReturnType<typeof heldAbout> }> {
    const _id = validateData(objectId(), user, 'The user')
    const found = await this.#users.for('export').findOne({ _id })
    if (found === null) throw new NotFoundError(this.#parts.users.name, `id ${_id.toHexString()}`)
    await this.#auditLog.recordEvent({ entity: this.#parts.users, entityId: _id, action: 'exported' })
    const entities = await this.#parts.entities()
    const exportedAt = this.#database.clock.now()
    return {
      head: { person: _id.toHexString(), exportedAt, notDeclared: notDeclared(entities) },
      held: heldAbout(this.#database, this.#parts.users, entities, found),
    }
  }

  /** One that was stopped is as far as it is. */
  async #run(
    erasure: Erasure,
    lease: Lease,
    { signal, lost }: { readonly signal: AbortSignal; readonly lost: AbortSignal },
  ): Promise<Erasure> {
    try {
      return await this.#eraser.run(erasure, lease, AbortSignal.any([signal, lost]))
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error
      return (await this.#erasures.for('erase').findOne({ _id: erasure._id })) ?? erasure
    }
  }

  /** A store of keys that was itself put back has keys again that were destroyed. */
  async #destroyKeys(): Promise<void> {
    const destroyed = await this.#erasures.for('repeat').find({ keyDestroyedAt: { $exists: true } })
    await this.#database.subjectKeys.destroyAll(destroyed.map(({ subject }) => subject))
  }

  async #know({ subject, requestedAt, keyDestroyedAt }: ErasedPerson): Promise<void> {
    const known = {
      ...(keyDestroyedAt === undefined ? {} : { keyDestroyedAt }),
      state: 'done',
      reason: again,
      requestedAt,
      repeats: 0,
      collections: [],
      notDeclared: [],
      notSearched: [],
    }
    await this.#erasures.for('repeat').updateOne({ subject }, { $setOnInsert: known }, { upsert: true })
  }

  /** The users that were erased once. */
  async *#returned(): AsyncGenerator<ObjectId, void, undefined> {
    let batch: ObjectId[] = []
    const users = this.#database.of(this.#parts.users, { isOutside: true }).for('repeat')
    for await (const { _id } of users.stream({}, { projection: { _id: 1 }, hint: { _id: 1 } })) {
      batch.push(_id)
      if (batch.length < usersAtOnce) continue
      yield* await this.#erasedAmong(batch)
      batch = []
    }
    yield* await this.#erasedAmong(batch)
  }

  async #erasedAmong(users: readonly ObjectId[]): Promise<ObjectId[]> {
    const bySubject = new Map(users.map((user) => [personHash(user), user]))
    const found = await this.#erasures.for('repeat').find({ subject: { $in: [...bySubject.keys()] } })
    return found.flatMap(({ subject }) => bySubject.get(subject) ?? [])
  }

  async #exclusively<Result>(work: (lease: Lease, lost: AbortSignal) => Promise<Result>): Promise<Result> {
    const lease = { name: 'privacy', durationMs: leaseMs, waitMs: 0 }
    const held = await this.#database.transactions.outside(() => withHeldLease(this.#database, lease, work))
    if (held !== null) return held.result
    throw new DatabaseError('LEASE_LOST', 'Another process erases; try again later', { retryable: true })
  }
}

/** @returns undefined where something holds the person. */
async function unlessHeld(work: () => Promise<Erasure>): Promise<Erasure | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'ERASURE_HELD') return undefined
    throw error
  }
}
