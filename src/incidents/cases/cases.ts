import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError, NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import { requireOpenData } from '../../core/repository/data.js'
import { Reader } from '../../core/repository/reader.js'
import { retryStale, StaleReadError } from '../../core/retry-on-conflict.js'
import { validateData } from '../../core/validate.js'
import { type CaseStatistics, caseStatistics, type OpenCases, openCasesByAssignee } from '../answers/case-statistics.js'
import { priorities, rankOf, severities } from '../severity.js'
import { type Case, type CaseStatus, mostComments, mostWatchers } from './case.js'
import { type CaseUpdate, changed, moved } from './case-changes.js'
import {
  type CaseChangeOptions,
  type CaseChanges,
  type CaseComment,
  type CaseInput,
  type CaseMoveOptions,
  type CaseSearchQuestion,
  caseChangesSchema,
  caseInputSchema,
  changeOptionsSchema,
  commentSchema,
  moveOptionsSchema,
  moveSchema,
  searchSchema,
} from './case-input.js'
import type { DueTimes } from './due-times.js'

/** A case that was found by words. */
export interface FoundCase {
  /** How well it fits: higher is better, and only for comparison within an answer. */
  readonly score: number
  readonly case: Case
}

/** Names that the origin systems have for the times of a case. */
export interface OriginTimes {
  readonly created_at: Date
  readonly updated_at: Date
  readonly resolved_at?: Date
}

const timesSchema = z.looseObject({ createdAt: z.date(), updatedAt: z.date(), resolvedAt: z.date().optional() })

/**
 * What is wrong, and what becomes of it. Whatever is changed is one conditional write: of two processes one is first, and the other
 * computes it again.
 */
export class Cases extends Reader<Case> {
  readonly #dueTimes: DueTimes

  constructor(database: Database, entity: Entity<Case>, dueTimes: DueTimes, documents?: EntityCollection<Case>) {
    super(database, entity, documents)
    this.#dueTimes = dueTimes
  }

  /** @internal */
  override over(documents: EntityCollection<Case>): Cases {
    return new Cases(this.database, this.entity, this.#dueTimes, documents)
  }

  /**
   * Opens a case.
   * @throws ValidationError.
   * @example
   * const { _id, dueAt } = await volt.cases.open({ title: 'Projector stays on', severity: 'medium', classroom })
   */
  async open(input: CaseInput): Promise<Case> {
    return this.openOfAlerts(input, {})
  }

  /** As {@link open}, for alerts that join it by a key. @throws ConflictError if an open case has the key. @internal */
  async openOfAlerts(input: CaseInput, joined: Pick<Case, 'correlationKey' | 'lastAlertAt'>): Promise<Case> {
    const parsed = validateData(caseInputSchema, input, 'The case')
    requireOpenData(this.entity, parsed, 'The case')
    const { severity, priority, classroom } = parsed
    const dueAt = await this.#dueTimes.dueAt(this.database.clock.now(), priority, classroom)
    const stored = await this.documents.for('open').insertOne({
      ...parsed,
      ...joined,
      severityRank: rankOf(severities, severity),
      priorityRank: rankOf(priorities, priority),
      status: 'open',
      isOpen: true,
      comments: [],
      history: [],
      ...(dueAt === undefined ? {} : { dueAt }),
    })
    return this.shown(stored)
  }

  /**
   * Moves a case to another status: from `open` to any; from `in_progress` to any; from `resolved` to `in_progress` and `closed`. What is closed
   * stays so. A move to where it is changes nothing.
   * @throws ConflictError for a move that is not allowed, or `STALE_VERSION`; NotFoundError, ValidationError.
   */
  async move(id: ObjectId | string, to: CaseStatus, options: CaseMoveOptions = {}): Promise<Case> {
    const status = validateData(moveSchema, to, 'The status')
    const { by, version, resolution } = validateData(moveOptionsSchema, options, 'The options')
    return this.#change(toObjectId(id), version, (found, at) =>
      found.status === status ? null : moved(found, { to: status, at, by, resolution }),
    )
  }

  /** Changes what a case says. @throws ConflictError if it is closed, or `STALE_VERSION`; NotFoundError, ValidationError. */
  async change(id: ObjectId | string, changes: CaseChanges, options: CaseChangeOptions = {}): Promise<Case> {
    const parsed = validateData(caseChangesSchema, changes, 'The changes')
    requireOpenData(this.entity, parsed, 'The changes')
    const { by, version } = validateData(changeOptionsSchema, options, 'The options')
    return this.#change(toObjectId(id), version, async (found, at) => {
      if (found.status === 'closed')
        throw new ConflictError('CONFLICT', `The case ${found._id.toHexString()} ${isClosed}`)
      const update = changed(found, parsed, at, by)
      const { priority } = parsed
      if (update === null || priority === undefined || priority === found.priority) return update
      const dueAt = await this.#dueTimes.dueAt(found.createdAt, priority, found.classroom)
      return dueAt === undefined
        ? { ...update, unset: [...update.unset, 'dueAt'] }
        : { ...update, set: { ...update.set, dueAt } }
    })
  }

  /** Adds a comment. @throws ConflictError where there are 1,000 already, or it is closed; NotFoundError, ValidationError. */
  async comment(id: ObjectId | string, comment: CaseComment): Promise<Case> {
    const _id = toObjectId(id)
    const { author, text } = validateData(commentSchema, comment, 'The comment')
    const at = this.database.clock.now()
    const added = { ...(author === undefined ? {} : { author }), text, at }
    const hasRoom = { _id, status: { $ne: 'closed' }, [`comments.${mostComments - 1}`]: { $exists: false } }
    const found = await this.documents.for('comment').findOneAndUpdate(hasRoom, { $push: { comments: added } })
    return this.#shownOrRefused(_id, found, `has ${mostComments} comments already`)
  }

  /** Has a user know what becomes of a case. @throws ConflictError where 200 do already, or it is closed; NotFoundError, ValidationError. */
  async addWatcher(id: ObjectId | string, user: ObjectId | string): Promise<Case> {
    const [_id, watcher] = [toObjectId(id), toObjectId(user, 'user')]
    const hasRoom = {
      _id,
      status: { $ne: 'closed' },
      $or: [{ watchers: watcher }, { [`watchers.${mostWatchers - 1}`]: { $exists: false } }],
    }
    const found = await this.documents.for('addWatcher').findOneAndUpdate(hasRoom, { $addToSet: { watchers: watcher } })
    return this.#shownOrRefused(_id, found, `has ${mostWatchers} watchers already`)
  }

  /** The opposite. @throws NotFoundError, ValidationError. */
  async removeWatcher(id: ObjectId | string, user: ObjectId | string): Promise<Case> {
    const [_id, watcher] = [toObjectId(id), toObjectId(user, 'user')]
    const found = await this.documents.for('removeWatcher').findOneAndUpdate({ _id }, { $pull: { watchers: watcher } })
    if (found === null) throw this.#missing(_id)
    return this.shown(found)
  }

  /** Cases whose title, description or tags have the words, those that fit best first. @throws ValidationError. */
  async search(question: CaseSearchQuestion): Promise<FoundCase[]> {
    const { words, status, limit } = validateData(searchSchema, question, 'The question')
    const filter = { $text: { $search: words }, ...(status === undefined ? {} : { status }) }
    const score = { $meta: 'textScore' } as const
    const found = await this.documents
      .for('search')
      .find<Case & { readonly score: number }>(filter, { projection: { score }, sort: { score, _id: 1 }, limit })
    return found.map((one) => ({ score: one.score, case: this.shown(one) }))
  }

  /** How many cases there are of each status and severity, the worst first, and how long they took. */
  statistics(): Promise<CaseStatistics[]> {
    return caseStatistics(this.documents)
  }

  /** Who has how many open cases, those with the most first. */
  openByAssignee(): Promise<OpenCases[]> {
    return openCasesByAssignee(this.documents)
  }

  /** The times of a case under the names that the origin systems have for them. @throws ValidationError. */
  originTimes(of: Pick<Case, 'createdAt' | 'updatedAt' | 'resolvedAt'>): OriginTimes {
    const { createdAt, updatedAt, resolvedAt } = validateData(timesSchema, of, 'The case')
    return {
      created_at: createdAt,
      updated_at: updatedAt,
      ...(resolvedAt === undefined ? {} : { resolved_at: resolvedAt }),
    }
  }

  /** Reads, computes and writes, if it is as it was read; else again. @param change Gives null where nothing is to be done. */
  #change(
    _id: ObjectId,
    version: number | undefined,
    change: (found: Case, at: Date) => CaseUpdate | null | Promise<CaseUpdate | null>,
  ): Promise<Case> {
    return retryStale(this.database, async () => {
      const found = await this.documents.findOne({ _id })
      if (found === null) throw this.#missing(_id)
      if (version !== undefined && found.__v !== version) throw staleVersion(_id, version)
      const update = await change(found, this.database.clock.now())
      if (update === null) return this.shown(found)
      const { set, unset } = update
      const by = {
        $set: set,
        ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map((field) => [field, ''])) }),
      }
      const written = await this.documents.for('change').findOneAndUpdate({ _id, __v: found.__v }, by)
      if (written === null) throw new StaleReadError()
      return this.shown(written)
    })
  }

  async #shownOrRefused(_id: ObjectId, written: Case | null, reason: string): Promise<Case> {
    if (written !== null) return this.shown(written)
    const found = await this.documents.findOne({ _id }, { projection: { status: 1 } })
    if (found === null) throw this.#missing(_id)
    throw new ConflictError(
      'CONFLICT',
      `The case ${_id.toHexString()} ${found.status === 'closed' ? isClosed : reason}`,
    )
  }

  #missing(_id: ObjectId): NotFoundError {
    return new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
  }
}

const isClosed = 'is closed, and stays as it is'

function staleVersion(_id: ObjectId, version: number): ConflictError {
  return new ConflictError('STALE_VERSION', `The case ${_id.toHexString()} is not at version ${version} any more`)
}
