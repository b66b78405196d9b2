import { randomUUID } from 'node:crypto'
import { type ClientSession, UUID } from 'mongodb'
import { z } from 'zod'
import type { Database } from './database.js'
import { defineEntity } from './entity.js'
import { DatabaseError } from './errors.js'
import { serverErrorCode, translateError } from './translate-error.js'

const duplicateKey = 11000
/** A pool has fewer sessions; those before have long ended. */
const maximumSessions = 100

/** Who may do what only one process may do at a time. Times are the database's own, so clocks need not agree. */
export const leaseEntity = defineEntity({
  name: 'lease',
  collection: 'leases',
  fields: {
    name: z.string().min(1).max(200),
    owner: z.string().min(1).max(100),
    /** Grows with every change of owner, and with nothing else. */
    fence: z.int().min(1),
    expiresAt: z.date(),
    /** The database sessions of the holder's transactions, in hexadecimal: whoever takes over ends them first. */
    sessions: z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(maximumSessions),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'acquire and renew by name' }],
})

export interface LeaseOptions {
  readonly name: string
  /** How long the lease lasts without being renewed. */
  readonly durationMs: number
}

/** A lease on a name. While it is held nobody else holds it, as long as its holder writes under {@link guard}. */
export class Lease {
  readonly name: string
  readonly #database: Database
  readonly #collectionName: string
  readonly #durationMs: number
  readonly #owner = randomUUID()
  #fence = 0
  /** Sessions that the lease's document names. */
  #notedSessions = new Set<string>()

  constructor(database: Database, collection: string, options: LeaseOptions) {
    this.#database = database
    this.#collectionName = collection
    this.name = options.name
    this.#durationMs = options.durationMs
  }

  /** The fencing number of this holding. */
  get fence(): number {
    return this.#fence
  }

  /** Takes the lease if it is free or expired, or renews it. @returns whether it is held now. */
  async acquire(): Promise<boolean> {
    try {
      const held = await this.#collection.findOne({ name: this.name })
      if (held !== null && held.owner !== this.#owner && !(await this.#isTakenFrom(held.owner))) return false
      return await this.#take()
    } catch (error) {
      // Two processes created the lease at once, and the other was first.
      if (serverErrorCode(error) === duplicateKey) return false
      throw translateError(error)
    }
  }

  /**
   * Whether the holder's time is over. If so its sessions are ended: a transaction that it left open, because it was killed
   * or hangs, would keep the lease's document locked for a minute, and could still be committed.
   */
  async #isTakenFrom(owner: string): Promise<boolean> {
    const expired = { name: this.name, owner, $expr: { $lte: ['$expiresAt', '$$NOW'] } }
    const lease = await this.#collection.findOne(expired)
    if (lease === null) return false
    const sessions: string[] = lease.sessions ?? []
    if (sessions.length > 0) {
      await this.#database.native.command({ killSessions: sessions.map((id) => ({ id: new UUID(id) })) })
    }
    return true
  }

  async #take(): Promise<boolean> {
    const isFree = { $or: [{ $lte: ['$expiresAt', '$$NOW'] }, { $eq: ['$owner', this.#owner] }] }
    const ifFree = (value: unknown, otherwise: unknown) => ({ $cond: [isFree, value, otherwise] })
    const fields = {
      fence: {
        $cond: [
          { $or: [{ $eq: ['$owner', this.#owner] }, { $not: [isFree] }] },
          '$fence',
          { $add: [{ $ifNull: ['$fence', 0] }, 1] },
        ],
      },
      owner: ifFree({ $literal: this.#owner }, '$owner'),
      expiresAt: ifFree({ $add: ['$$NOW', this.#durationMs] }, '$expiresAt'),
      createdAt: { $ifNull: ['$createdAt', '$$NOW'] },
      updatedAt: ifFree('$$NOW', '$updatedAt'),
      sessions: { $cond: [{ $eq: ['$owner', this.#owner] }, '$sessions', ifFree([], '$sessions')] },
      __v: ifFree({ $add: [{ $ifNull: ['$__v', -1] }, 1] }, '$__v'),
    }
    const lease = await this.#collection.findOneAndUpdate({ name: this.name }, [{ $set: fields }], {
      upsert: true,
      returnDocument: 'after',
    })
    if (lease?.owner !== this.#owner) return false
    if (this.#fence !== Number(lease.fence)) this.#notedSessions = new Set()
    this.#fence = Number(lease.fence)
    return true
  }

  /**
   * Makes the transaction of the session fail unless the lease is still held: what it writes is then never written by a
   * process that has lost the lease without noticing. To be called first in the transaction.
   * @throws DatabaseError `LEASE_LOST`.
   */
  async guard(session: ClientSession | undefined): Promise<void> {
    const holding = { name: this.name, owner: this.#owner, fence: this.#fence }
    const options = session === undefined ? {} : { session }
    try {
      if (session !== undefined) await this.#note(session, holding)
      const { matchedCount } = await this.#collection.updateOne(holding, { $inc: { __v: 1 } }, options)
      if (matchedCount > 0) return
    } catch (error) {
      throw translateError(error)
    }
    throw new DatabaseError('LEASE_LOST', `The lease ${this.name} has gone to another process`)
  }

  /** Names the session in the lease's document, outside the transaction: it must be there when the transaction is left open. */
  async #note(session: ClientSession, holding: object): Promise<void> {
    const id = session.id?.id.toString('hex')
    if (id === undefined || this.#notedSessions.has(id)) return
    const push = { sessions: { $each: [id], $slice: -maximumSessions } }
    await this.#collection.updateOne({ ...holding, sessions: { $ne: id } }, { $push: push as never })
    this.#notedSessions.add(id)
  }

  /** Gives the lease up, so that another need not wait for its end. */
  async release(): Promise<void> {
    // Its sessions are back in the pool and serve other work: whoever comes next must not end them.
    this.#notedSessions = new Set()
    const given = { expiresAt: new Date(0), sessions: [] }
    try {
      await this.#collection.updateOne({ name: this.name, owner: this.#owner }, { $set: given })
    } catch (error) {
      throw translateError(error)
    }
  }

  get #collection() {
    // A holder that a fallen primary forgets would be one too many.
    return this.#database.native.collection(this.#collectionName, { writeConcern: { w: 'majority' } })
  }
}
