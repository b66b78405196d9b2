import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError, NotFoundError } from '../../core/errors.js'
import { instant, toObjectId } from '../../core/fields.js'
import { requireOpenData } from '../../core/repository/data.js'
import { Reader } from '../../core/repository/reader.js'
import { validateData } from '../../core/validate.js'
import type { Classroom } from '../../devices/classroom.js'
import {
  type AlertStatistics,
  type AlertTrend,
  type AlertTrendsQuestion,
  alertStatistics,
  alertTrends,
  alertTrendsSchema,
  type OpenAlerts,
  openAlertsBySeverity,
} from '../answers/alert-statistics.js'
import type { Case } from '../cases/case.js'
import type { Alert } from './alert.js'
import {
  type AlertClearing,
  type AlertInput,
  type AlertOptions,
  type AlertResolveOptions,
  alertInputSchema,
  byUserSchema,
  clearSchema,
  resolveSchema,
} from './alert-input.js'
import { AlertStore, type RaisedAlert } from './alert-store.js'

const untilSchema = z.nullable(instant())

export interface AlertParts {
  readonly cases: Entity<Case>
  readonly classrooms: Entity<Classroom>
}

/** What was noticed: opened once, counted when it happens again, and closed once, however many processes look. */
export class Alerts extends Reader<Alert> {
  readonly #parts: AlertParts
  readonly #store: AlertStore
  readonly #cases: EntityCollection<Case>
  readonly #classrooms: EntityCollection<Classroom>

  constructor(database: Database, entity: Entity<Alert>, parts: AlertParts, documents?: EntityCollection<Alert>) {
    super(database, entity, documents)
    this.#parts = parts
    this.#store = new AlertStore(database, entity)
    this.#cases = database.of(parts.cases)
    this.#classrooms = database.of(parts.classrooms)
  }

  /** @internal */
  override over(documents: EntityCollection<Alert>): Alerts {
    return new Alerts(this.database, this.entity, this.#parts, documents)
  }

  /**
   * Says that something happened. It opens an alert, or is an occurrence of the unresolved one that has its key; its severity only rises. What
   * happened no later than the last occurrence, or than the alert was cleared, is known already: the same may be noticed by many
   * processes.
   * @throws ValidationError; NotFoundError for a case that is not there.
   * @example
   * await volt.alerts.raise({ key: `door:${room}`, type: 'door_open', source: 'doors', severity: 'medium', message: 'The door is open' })
   */
  async raise(input: AlertInput): Promise<RaisedAlert> {
    const parsed = validateData(alertInputSchema, input, 'The alert')
    requireOpenData(this.entity, parsed, 'The alert')
    if (parsed.case !== undefined) await this.#requireCase(parsed.case)
    const { outcome, alert } = await this.#store.raise({
      ...parsed,
      timestamp: parsed.timestamp ?? this.database.clock.now(),
    })
    return { outcome, alert: this.shown(alert) }
  }

  /**
   * Says that something is over: closes the unresolved alert of the key.
   * @returns it; null if there is none, or it happened again after that time. @throws ValidationError.
   */
  async clear(clearing: AlertClearing): Promise<Alert | null> {
    const { key, at = this.database.clock.now(), resolution } = validateData(clearSchema, clearing, 'The clearing')
    const cleared = await this.#store.clear(key, at, resolution)
    return cleared === null ? null : this.shown(cleared)
  }

  /** Closes an alert by hand. What happens after that is another one. @throws ConflictError if it is resolved; NotFoundError, ValidationError. */
  async resolve(id: ObjectId | string, options: AlertResolveOptions = {}): Promise<Alert> {
    const _id = toObjectId(id)
    const resolved = await this.#store.resolve(_id, validateData(resolveSchema, options, 'The options'))
    return this.#shownOrResolved(_id, resolved)
  }

  /** Says that somebody has seen it: the first one counts. @throws ConflictError if it is resolved; NotFoundError, ValidationError. */
  async acknowledge(id: ObjectId | string, options: AlertOptions = {}): Promise<Alert> {
    const _id = toObjectId(id)
    const { by } = validateData(byUserSchema, options, 'The options')
    const found = await this.get(_id)
    const at = this.database.clock.now()
    const acknowledgeMs = Math.max(0, at.getTime() - found.timestamp.getTime())
    const set = { acknowledgedAt: at, acknowledgeMs, ...(by === undefined ? {} : { acknowledgedBy: by }) }
    const fresh = { _id, resolved: false, acknowledgedAt: null }
    const written = await this.#store.documents.for('acknowledge').findOneAndUpdate(fresh, { $set: set })
    if (written !== null) return this.shown(written)
    const before = await this.documents.findOne({ _id, resolved: false, acknowledgedAt: { $exists: true } })
    return this.#shownOrResolved(_id, before)
  }

  /** Has nobody notified of it until an instant; null ends that. @throws ConflictError if it is resolved; NotFoundError, ValidationError. */
  async silence(id: ObjectId | string, until: Date | string | null, options: AlertOptions = {}): Promise<Alert> {
    const _id = toObjectId(id)
    const silencedUntil = validateData(untilSchema, until, 'The time')
    const { by } = validateData(byUserSchema, options, 'The options')
    const update =
      silencedUntil === null
        ? { $unset: { silencedUntil: '', silencedBy: '' } }
        : { $set: { silencedUntil, ...(by === undefined ? {} : { silencedBy: by }) } }
    const silenced = await this.#store.documents.for('silence').findOneAndUpdate({ _id, resolved: false }, update)
    return this.#shownOrResolved(_id, silenced)
  }

  /** Puts an alert to a case. @throws NotFoundError if one of them is not there; ValidationError. */
  async assignToCase(id: ObjectId | string, to: ObjectId | string): Promise<Alert> {
    const [_id, own] = [toObjectId(id), toObjectId(to, 'case')]
    await this.#requireCase(own)
    const found = await this.#store.documents.for('assignToCase').findOneAndUpdate({ _id }, { $set: { case: own } })
    if (found === null) throw this.#missing(_id)
    return this.shown(found)
  }

  /** How many unresolved alerts there are of each severity, the worst first. */
  openBySeverity(): Promise<OpenAlerts[]> {
    return openAlertsBySeverity(this.documents)
  }

  /** How many alerts there are of each severity, and how long they took. */
  statistics(): Promise<AlertStatistics[]> {
    return alertStatistics(this.documents)
  }

  /** How many alerts of each type were opened on each of the last days. @throws ValidationError; NotFoundError for a site that is not there. */
  async trends(question: AlertTrendsQuestion = {}): Promise<AlertTrend[]> {
    const parsed = validateData(alertTrendsSchema, question, 'The question')
    const timeZone = parsed.timeZone ?? (await this.#timeZoneOf(parsed.classroom))
    return alertTrends(this.documents, parsed, timeZone, this.database.clock.now())
  }

  async #timeZoneOf(classroom: ObjectId | undefined): Promise<string> {
    if (classroom === undefined) return 'UTC'
    const found = await this.#classrooms.findOne({ _id: classroom }, { projection: { timeZone: 1 } })
    if (found === null) throw new NotFoundError(this.#parts.classrooms.name, `id ${classroom.toHexString()}`)
    return found.timeZone
  }

  async #requireCase(_id: ObjectId): Promise<void> {
    const found = await this.#cases.findOne({ _id }, { projection: { _id: 1 } })
    if (found === null) throw new NotFoundError(this.#parts.cases.name, `id ${_id.toHexString()}`)
  }

  async #shownOrResolved(_id: ObjectId, found: Alert | null): Promise<Alert> {
    if (found !== null) return this.shown(found)
    const isThere = (await this.documents.findOne({ _id }, { projection: { _id: 1 } })) !== null
    if (!isThere) throw this.#missing(_id)
    throw new ConflictError('CONFLICT', `The alert ${_id.toHexString()} is resolved`, { fields: ['resolved'] })
  }

  #missing(_id: ObjectId): NotFoundError {
    return new NotFoundError(this.entity.name, `id ${_id.toHexString()}`)
  }
}
