import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { AsyncContext } from '../core/async-context.js'
import type { EntityDescription, Identified } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { Reader } from '../core/repository/reader.js'
import { retryCreation } from '../core/retry-on-conflict.js'
import { validateData } from '../core/validate.js'
import type { AuditAction, AuditRecord } from './audit-record.js'

/** A change of a document. */
export interface AuditedChange {
  readonly entity: EntityDescription
  readonly actor: string | undefined
  /** Left out if the document is new. */
  readonly before?: Identified | undefined
  /** Left out if the document was removed. */
  readonly after?: Identified | undefined
  readonly details?: Readonly<Record<string, unknown>>
}

/** Anything that is audited. It has no secrets in it. */
export interface AuditedEvent {
  readonly entity: Pick<EntityDescription, 'name'>
  readonly entityId: ObjectId
  readonly action: AuditAction
  readonly actor?: string | undefined
  readonly before?: Readonly<Record<string, unknown>> | undefined
  readonly after?: Readonly<Record<string, unknown>> | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** Who does something, and from where. */
export interface Actor {
  /** The id of a user, or the host's words. */
  readonly actor: string
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
}

const actorSchema = z.strictObject({
  actor: z.string().min(1).max(256),
  ip: z.string().max(100).optional(),
  userAgent: z
    .string()
    .transform((text) => text.slice(0, 512))
    .optional(),
})

/** Who did what, newest first or by document or person; written by the library with what it reports, changed by nobody. */
export class AuditLog extends Reader<AuditRecord> {
  readonly #actor = new AsyncContext<Actor>()

  /**
   * Runs work for an actor: its audit records have the actor, and the actor's address in their details. Inside work for another one,
   * what is not given is as there.
   * @throws ValidationError for what names no actor.
   * @example
   * await volt.auditLog.withActor({ actor: String(admin._id), ip }, () => volt.users.update(id, { role: 'faculty' }))
   */
  async withActor<Result>(actor: Actor, work: () => Promise<Result>): Promise<Result> {
    const known = validateData(actorSchema, actor, 'The actor')
    if (typeof work !== 'function')
      throw new DatabaseError('CONFIGURATION', 'Work that is done by an actor is a function')
    return this.#actor.run({ ...this.#actor.value, ...known }, work)
  }

  /** Records a change, without what the entity keeps secret. Takes part in the caller's transaction. @returns the record's id. @internal */
  async record({ entity, actor, before, after, details }: AuditedChange): Promise<ObjectId> {
    const _id = new ObjectId()
    return this.#write(_id, {
      entity,
      entityId: (after ?? before)?._id ?? _id,
      action: before === undefined ? 'created' : after === undefined ? 'removed' : 'changed',
      actor,
      before: before && withoutSecrets(entity, before),
      after: after && withoutSecrets(entity, after),
      details,
    })
  }

  /** Records what happened. Takes part in the caller's transaction. @returns the record's id. @internal */
  recordEvent(event: AuditedEvent): Promise<ObjectId> {
    return this.#write(new ObjectId(), event)
  }

  /** Counts what may come in floods and belongs to no document: in one record for each action and hour. @internal */
  async countEvent(entity: EntityDescription, action: AuditAction): Promise<void> {
    const hour = new Date(this.database.clock.now())
    hour.setUTCMinutes(0, 0, 0)
    const _id = hourId(hour, action)
    const update = { $setOnInsert: { at: hour, action, entity: entity.name }, $inc: { 'details.count': 1 } }
    await retryCreation(this.database, () =>
      this.documents.for('countEvent').updateOne({ _id, entityId: _id }, update, { upsert: true }),
    )
  }

  /** Records of older systems have their time under another name. */
  protected override shown<Shown = AuditRecord>(document: object): Shown {
    const shown = super.shown<Partial<AuditRecord>>(document)
    const { at = shown.created_at } = shown
    return (at === undefined ? shown : { ...shown, at }) as Shown
  }

  async #write(_id: ObjectId, { entity, ...event }: AuditedEvent): Promise<ObjectId> {
    const { actor, ...from } = this.#actor.value ?? {}
    const details = { ...from, ...event.details }
    const record = {
      _id,
      at: this.database.clock.now(),
      ...event,
      entity: entity.name,
      actor: event.actor ?? actor,
      ...(Object.keys(details).length === 0 ? {} : { details }),
    }
    await this.documents.for('record').insertOne(record)
    return _id
  }
}

/** The same for an action and an hour in every process. */
function hourId(hour: Date, action: AuditAction): ObjectId {
  const bytes = createHash('sha256').update(action).digest().subarray(0, 12)
  bytes.writeUInt32BE(hour.getTime() / 1000)
  return new ObjectId(bytes)
}

function withoutSecrets({ secrets }: EntityDescription, document: Identified): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !Object.hasOwn(secrets, name)))
}
