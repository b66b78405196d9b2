import { randomUUID } from 'node:crypto'
import { UUID } from 'mongodb'
import type { EntityCollection } from './collection/entity-collection.js'
import { stampStage } from './collection/stamps.js'
import type { Database } from './database.js'
import { ConflictError, DatabaseError } from './errors.js'
import { maximumSessions, type StoredLease } from './lease-entity.js'
import { translateError } from './translate-error.js'

export interface LeaseOptions {
  readonly name: string
  /** How long the lease lasts without being renewed. */
  readonly durationMs: number
  /** Who holds it, for people: kept in the lease's document. */
  readonly holder?: string
}

/** When a lease that its holder has given up expires. */
const givenUpAt = new Date(0)

/** A lease on a name. While it is held nobody else holds it, as long as its holder writes under {@link guard}. */
export class Lease {
  readonly name: string
  readonly #database: Database
  readonly #durationMs: number
  readonly #holder: string | undefined
  readonly #owner = randomUUID()
  /** Whatever becomes of the caller's transaction, and of the primary: a holder that is forgotten would be one too many. */
  readonly #leases: EntityCollection<StoredLease>
  /** In the caller's transaction. */
  readonly #guards: EntityCollection<StoredLease>
  #fence = 0
  /** Sessions that the lease's document names. */
  #notedSessions = new Set<string>()

  constructor(database: Database, options: LeaseOptions) {
    this.#database = database
    this.name = options.name
    this.#durationMs = options.durationMs
    this.#holder = options.holder
    this.#leases = database.of(database.leaseEntity, { isDurable: true, isOutside: true })
    this.#guards = database.of(database.leaseEntity)
  }

  /** The fencing number of this holding. */
  get fence(): number {
    return this.#fence
  }

  /** Takes the lease if it is free or expired, or renews it. @returns whether it is held now. */
  async acquire(): Promise<boolean> {
    const held = await this.#leases.findOne({ name: this.name })
    if (held !== null && held.owner !== this.#owner && !(await this.#isTakenFrom(held.owner))) return false
    try {
      return await this.#take()
    } catch (error) {
      // Two processes created the lease at once, and the other was first.
      if (error instanceof ConflictError) return false
      throw error
    }
  }

  /** Holds the lease for longer. @returns false if it has gone to another process. */
  async renew(): Promise<boolean> {
    const longer = [{ $set: { expiresAt: { $add: ['$$NOW', this.#durationMs] }, ...stampStage('$$NOW') } }]
    // One that was given up meanwhile stays so, in whatever order the two reach the server.
    const { matched } = await this.#leases.updateOne({ ...this.#holding, expiresAt: { $gt: givenUpAt } }, longer)
    return matched > 0
  }

  /**
   * Whether the holder's time is over. If so its sessions are ended: a transaction that it left open, because it was killed
   * or hangs, would keep the lease's document locked for a minute, and could still be committed.
   */
  async #isTakenFrom(owner: string): Promise<boolean> {
    const expired = { name: this.name, owner, $expr: { $lte: ['$expiresAt', '$$NOW'] } }
    const lease = await this.#leases.findOne(expired)
    if (lease === null) return false
    const { sessions } = lease
    if (sessions.length > 0) await this.#kill(sessions)
    return true
  }

  async #kill(sessions: readonly string[]): Promise<void> {
    try {
      await this.#database.native.command({ killSessions: sessions.map((id) => ({ id: new UUID(id) })) })
    } catch (error) {
      throw translateError(error)
    }
  }

  async #take(): Promise<boolean> {
    const isOwn = { $eq: ['$owner', this.#owner] }
    const isFree = { $or: [{ $lte: ['$expiresAt', '$$NOW'] }, isOwn] }
    const ifFree = (value: unknown, otherwise: unknown) => ({ $cond: [isFree, value, otherwise] })
    const { createdAt, updatedAt, __v } = stampStage('$$NOW')
    const fields = {
      fence: { $cond: [{ $or: [isOwn, { $not: [isFree] }] }, '$fence', { $add: [{ $ifNull: ['$fence', 0] }, 1] }] },
      owner: ifFree({ $literal: this.#owner }, '$owner'),
      holder: ifFree(this.#holder === undefined ? '$$REMOVE' : { $literal: this.#holder }, '$holder'),
      expiresAt: ifFree({ $add: ['$$NOW', this.#durationMs] }, '$expiresAt'),
      sessions: { $cond: [isOwn, '$sessions', ifFree([], '$sessions')] },
      createdAt,
      updatedAt: ifFree(updatedAt, '$updatedAt'),
      __v: ifFree(__v, '$__v'),
    }
    const lease = await this.#leases.findOneAndUpdate({ name: this.name }, [{ $set: fields }], { upsert: true })
    if (lease?.owner !== this.#owner) return false
    if (this.#fence !== lease.fence) this.#notedSessions = new Set()
    this.#fence = lease.fence
    return true
  }

  /**
   * Makes the caller's transaction fail unless the lease is still held: what it writes is then never written by a process
   * that has lost the lease without noticing. To be called first in the transaction.
   * @throws DatabaseError `LEASE_LOST`.
   */
  async guard(): Promise<void> {
    await this.#noteSession()
    const { matched } = await this.#guards.updateOne(this.#holding, {})
    if (matched === 0) throw new DatabaseError('LEASE_LOST', `The lease ${this.name} has gone to another process`)
  }

  /** Names the transaction's session in the lease's document, outside the transaction: it must be there when the transaction is left open. */
  async #noteSession(): Promise<void> {
    const id = this.#database.transactions.session?.id?.id.toString('hex')
    if (id === undefined || this.#notedSessions.has(id)) return
    const push = { sessions: { $each: [id], $slice: -maximumSessions } }
    await this.#leases.updateOne({ ...this.#holding, sessions: { $ne: id } }, { $push: push })
    this.#notedSessions.add(id)
  }

  /** Gives the lease up, so that another need not wait for its end. */
  async release(): Promise<void> {
    // Its sessions are back in the pool and serve other work: the next holder must not end them.
    this.#notedSessions = new Set()
    const given = { expiresAt: givenUpAt, sessions: [] }
    await this.#leases.updateOne({ name: this.name, owner: this.#owner }, { $set: given })
  }

  get #holding() {
    return { name: this.name, owner: this.#owner, fence: this.#fence }
  }
}
