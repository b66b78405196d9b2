import { ObjectId } from 'mongodb'
import type { AuditLog } from '../activity/audit-log.js'
import type { DataAccess } from '../activity/data-access.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { ConflictError, NotFoundError } from '../core/errors.js'
import type { Lease } from '../core/lease.js'
import { personHash } from '../core/person-hash.js'
import { undeclaredFields } from '../core/personal-fields.js'
import { type Done, type Erasing, eraseMentions, eraseSubject } from './erasing.js'
import type { Erasure } from './erasure.js'
import { type Hold, requireNoHold } from './hold.js'
import { Mentions } from './mentions.js'
import { type KnownUser, personOf } from './person.js'
import { personalFieldsOf, type SubjectPlan, subjectPlans } from './subject-plan.js'

export interface EraserParts {
  readonly database: Database
  readonly users: Entity<KnownUser>
  readonly erasures: Entity<Erasure>
  readonly holds: Entity<Hold>
  readonly accesses: Entity<DataAccess>
  /** All entities of the handle, those of archives included. */
  readonly entities: () => Promise<readonly Entity[]>
  readonly auditLog: AuditLog
  readonly deletions: Erasing['deletions']
}

const nothingYet = { deleted: 0, anonymised: 0, kept: 0, unresolved: 0, isDone: false }

/** Asks for an erasure. */
export interface Request {
  readonly user: ObjectId
  readonly reason: string
}

/**
 * Erases persons, one at a time. Every batch commits with its count, and only while the lease is held: whoever goes on after a kill
 * goes on where it was.
 */
export class Eraser {
  readonly #parts: EraserParts
  readonly #erasures: EntityCollection<Erasure>
  readonly #users: EntityCollection<KnownUser>
  readonly #holds: EntityCollection<Hold>

  constructor(parts: EraserParts) {
    this.#parts = parts
    this.#erasures = parts.database.of(parts.erasures).for('erase')
    this.#users = parts.database.of(parts.users).for('erase')
    this.#holds = parts.database.of(parts.holds).for('erase')
  }

  /**
   * The erasure of a person, begun if it was not.
   * @throws NotFoundError for nobody; DatabaseError `ERASURE_HELD`; ConflictError while somebody has to end something first.
   */
  async begin({ user, reason }: Request, lease: Lease): Promise<Erasure> {
    const subject = personHash(user)
    const before = await this.#erasures.findOne({ subject })
    if (before?.state !== 'running' && (await this.#users.findOne({ _id: user })) === null) {
      if (before?.state === 'waiting') return before
      throw new NotFoundError(this.#parts.users.name, `id ${user.toHexString()}`)
    }
    const steps = await this.#steps()
    await this.#requireEnded(user, steps)
    const undeclared = notDeclared(await this.#parts.entities())
    return this.#parts.database.transactions.run(async () => {
      await lease.guard()
      await requireNoHold(this.#holds, user, this.#now())
      if (before?.state === 'running') return before
      const erasure = await this.#create(before, { subject, user, reason, notDeclared: undeclared })
      const { users, auditLog } = this.#parts
      await auditLog.recordEvent({ entity: users, entityId: erasure._id, action: 'erasure_started' })
      return erasure
    })
  }

  async #create(before: Erasure | null, given: Pick<Erasure, 'subject' | 'reason' | 'notDeclared'> & Request) {
    const fields = {
      ...given,
      pseudonym: new ObjectId(),
      state: 'running' as const,
      requestedAt: this.#now(),
      collections: [],
      notSearched: [],
    }
    if (before === null) return this.#erasures.insertOne({ ...fields, repeats: 0 })
    const again = { ...fields, repeats: before.repeats + 1 }
    const change = { $set: again, $unset: { endedAt: '', dueAt: '', keyDestroyedAt: '' } }
    const changed = await this.#erasures.findOneAndUpdate({ _id: before._id }, change)
    if (changed === null) throw new NotFoundError(this.#parts.erasures.name, `id ${before._id.toHexString()}`)
    return changed
  }

  /** Takes up what was kept and is due. */
  async reopen({ _id }: Erasure, lease: Lease): Promise<Erasure> {
    const update = { _id, state: 'waiting' }
    const by = { $set: { state: 'running', 'collections.$[kept].isDone': false } } as const
    return this.#parts.database.transactions.run(async () => {
      await lease.guard()
      await this.#erasures.bulkWrite([{ update, by, arrayFilters: [{ 'kept.kept': { $gt: 0 } }] }])
      const found = await this.#erasures.findOne({ _id })
      if (found === null) throw new NotFoundError(this.#parts.erasures.name, `id ${_id.toHexString()}`)
      return found
    })
  }

  /** Does what is left of an erasure. @throws what stops it: a hold, the signal, a lease that was lost. */
  async run(erasure: Erasure, lease: Lease, signal: AbortSignal): Promise<Erasure> {
    const { user, pseudonym } = erasure
    if (user === undefined || pseudonym === undefined) return erasure
    const { database, deletions } = this.#parts
    const person = personOf(user, (await this.#users.findOne({ _id: user })) ?? undefined)
    const steps = await this.#steps()
    const known = await this.#addSteps(erasure, steps)
    const mentions = new Mentions(person)
    if (!known.collections.some(({ isDone }) => isDone)) {
      const reason = String(mentions.replaced(erasure.reason, pseudonym))
      await this.#erasures.updateOne({ _id: erasure._id }, { $set: { reason, notSearched: person.notSearched } })
      // Nobody signs in any more as who is being erased.
      await this.#users.updateOne({ _id: user }, { $set: { status: 'suspended' } })
    }
    const apply: Erasing['apply'] = (entity, batch) => this.#apply(erasure._id, entity, lease, batch)
    const erasing = { database, pseudonym, mentions, signal, apply, deletions }
    const done = new Set(known.collections.filter(({ isDone }) => isDone).map(({ collection }) => collection))
    for (const entity of steps.filter(({ collection }) => !done.has(collection))) {
      signal.throwIfAborted()
      await requireNoHold(this.#holds, user, this.#now())
      for (const plan of this.#plans(entity, { user, pseudonym })) await eraseSubject(erasing, entity, plan)
      const declared = personalFieldsOf(entity)?.mentions
      const unresolved = declared === undefined ? 0 : await eraseMentions(erasing, entity, declared)
      await this.#finishStep(erasure._id, entity, { user, pseudonym }, unresolved, lease)
    }
    // What came while others were worked on, such as the audit records of this.
    for (const entity of steps)
      for (const plan of this.#plans(entity, { user, pseudonym })) await eraseSubject(erasing, entity, plan)
    await this.#destroyKey(erasure, lease)
    return this.#end(erasure, lease)
  }

  /**
   * Documents of the person go first, and the user last: as long as something is left it is known whose it is. What the erasure itself
   * is stopped and known by goes with its end.
   */
  async #steps(): Promise<Entity[]> {
    const { users, erasures, holds, entities } = this.#parts
    const own: readonly Entity[] = [erasures, holds]
    const personal = (await entities()).filter(
      (entity) => !own.includes(entity) && personalFieldsOf(entity) !== undefined,
    )
    const rank = (entity: Entity) => (entity === users ? 2 : isOwned(entity) ? 0 : 1)
    return personal.toSorted((one, other) => rank(one) - rank(other))
  }

  #plans(entity: Entity, subject: Parameters<typeof subjectPlans>[1]): SubjectPlan[] {
    return subjectPlans(entity, subject, this.#now())
  }

  async #requireEnded(user: ObjectId, steps: readonly Entity[]): Promise<void> {
    for (const entity of steps) {
      for (const { naming, refusedWhile } of this.#plans(entity, { user, pseudonym: user })) {
        if (refusedWhile === undefined) continue
        const documents = this.#parts.database.of(entity).for('erase')
        if ((await documents.findOne({ ...naming, ...refusedWhile.filter })) !== null)
          throw new ConflictError('CONFLICT', `The person cannot be erased yet: ${refusedWhile.reason}`)
      }
    }
  }

  /** Entities that came with a newer version of the host are added to an erasure that is under way. */
  async #addSteps(erasure: Erasure, steps: readonly Entity[]): Promise<Erasure> {
    const known = new Set(erasure.collections.map(({ collection }) => collection))
    const added = steps
      .filter(({ collection }) => !known.has(collection))
      .map(({ collection, name }) => ({ collection, entity: name, ...nothingYet }))
    await this.#erasures.updateOne({ _id: erasure._id }, { $push: { collections: { $each: added } } })
    return (await this.#erasures.findOne({ _id: erasure._id })) ?? erasure
  }

  async #apply(_id: ObjectId, entity: Entity, lease: Lease, batch: () => Promise<Done>): Promise<void> {
    const count = ({ deleted, anonymised }: Done) =>
      this.#erasures.updateOne(
        { _id, 'collections.collection': entity.collection },
        { $inc: { 'collections.$.deleted': deleted, 'collections.$.anonymised': anonymised } },
      )
    const run = this.#parts.database.transactions
    if (entity.timeSeries === undefined) {
      await run.run(async () => {
        await lease.guard()
        await count(await batch())
      })
      return
    }
    await run.run(() => lease.guard())
    await count(await batch())
  }

  /** Counts what is kept, and for how long. */
  async #finishStep(
    _id: ObjectId,
    entity: Entity,
    subject: Parameters<typeof subjectPlans>[1],
    unresolved: number,
    lease: Lease,
  ): Promise<void> {
    const documents = this.#parts.database.of(entity).for('erase')
    let kept = 0
    let untilMs = 0
    const keptFor = new Set<string>()
    for (const { kept: filter, keep } of this.#plans(entity, subject)) {
      if (filter === undefined || keep === undefined) continue
      const found = await documents.aggregate<{ readonly count: number; readonly last: Date }>([
        { $match: filter },
        { $group: { _id: null, count: { $sum: 1 }, last: { $max: `$${keep.since}` } } },
      ])
      for (const { count, last } of found) {
        kept += count
        keptFor.add(keep.reason)
        untilMs = Math.max(untilMs, last.getTime() + keep.days * 86_400_000)
      }
    }
    const end =
      kept === 0 ? {} : { 'collections.$.keptFor': [...keptFor], 'collections.$.keptUntil': new Date(untilMs) }
    const state = { 'collections.$.kept': kept, 'collections.$.unresolved': unresolved, 'collections.$.isDone': true }
    await this.#parts.database.transactions.run(async () => {
      await lease.guard()
      await this.#erasures.updateOne(
        { _id, 'collections.collection': entity.collection },
        { $set: { ...state, ...end } },
      )
    })
  }

  /** What is sealed with the person's key is unreadable from then on, in old backups too; not while such documents are kept. */
  async #destroyKey({ _id, subject }: Erasure, lease: Lease): Promise<void> {
    const { database, entities } = this.#parts
    const sealing = (await entities()).filter(({ sealedFor }) => Object.keys(sealedFor).length > 0)
    const found = await this.#erasures.findOne({ _id })
    const isKept = found?.collections.some(
      ({ collection, kept }) => kept > 0 && sealing.some((entity) => entity.collection === collection),
    )
    if (isKept === true || sealing.length === 0) return
    await database.transactions.run(() => lease.guard())
    await database.subjectKeys.destroy(subject)
    await this.#erasures.updateOne({ _id }, { $set: { keyDestroyedAt: this.#now() } })
  }

  async #end({ _id, user }: Erasure, lease: Lease): Promise<Erasure> {
    const { users, auditLog, database, erasures } = this.#parts
    return database.transactions.run(async () => {
      await lease.guard()
      const found = await this.#erasures.findOne({ _id })
      const ends = (found?.collections ?? []).flatMap(({ keptUntil, kept }) =>
        kept > 0 && keptUntil ? [keptUntil] : [],
      )
      const isKept = ends.length > 0
      const endedAt = this.#now()
      const dueAt = new Date(Math.min(...ends.map((end) => end.getTime())))
      const change = isKept
        ? { $set: { state: 'waiting', endedAt, dueAt } }
        : { $set: { state: 'done', endedAt }, $unset: { user: '', pseudonym: '', dueAt: '' } }
      if (!isKept) await this.#holds.deleteMany({ user })
      const ended = await this.#erasures.findOneAndUpdate({ _id }, change)
      if (ended === null) throw new NotFoundError(erasures.name, `id ${_id.toHexString()}`)
      // It is the job's: whose request it is in, and from where, was about who asked.
      const details = { ip: undefined, userAgent: undefined }
      await auditLog.recordEvent({ entity: users, entityId: _id, action: 'erased', actor: 'privacy', details })
      return ended
    })
  }

  #now(): Date {
    return this.#parts.database.clock.now()
  }
}

function isOwned(entity: Entity): boolean {
  const { subjects = {} } = personalFieldsOf(entity) ?? {}
  return Object.values(subjects).some(({ onErasure }) => onErasure === 'delete document')
}

export function notDeclared(entities: readonly Entity[]): string[] {
  return entities.flatMap((entity) => {
    if (entity.personal === undefined) return [entity.collection]
    return undeclaredFields(entity).map((field) => `${entity.collection}.${field}`)
  })
}
