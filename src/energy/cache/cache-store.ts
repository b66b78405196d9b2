import type { Collection, Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { serverErrorCode } from '../../core/translate-error.js'
import type { CacheEntry } from './cache-entry.js'
import { type Dependencies, dependingOn } from './dependencies.js'

const duplicateKey = 11000
/** Bytes. A document may have 16 MB; the rest is for what is not data. */
const largestData = 16 * 1024 * 1024 - 256 * 1024

/** What an entry is found by, and what it depends on. */
export interface CacheSubject {
  readonly cacheKey: string
  readonly cacheType: string
  readonly parameters: object
  readonly dependsOn: Dependencies
}

export interface CacheResult {
  readonly data: unknown
  /** Bytes. */
  readonly dataSize: number
  /** ms. */
  readonly computationTime: number | undefined
  readonly ttlMs: number
}

/** What is known of a key. */
export type Found =
  | { readonly state: 'none' }
  | { readonly state: 'ready'; readonly data: unknown }
  | { readonly state: 'too large' }
  | { readonly state: 'claimed'; readonly claim: string }

/**
 * The entries in the database. A computation is claimed by a document of its own, which names what it depends on, so that
 * an invalidation removes it like a result, and what comes of it is not stored.
 */
export class CacheStore {
  readonly #database: Database
  readonly #entity: Entity<CacheEntry>
  readonly #claimMs: number

  constructor(database: Database, entity: Entity<CacheEntry>, claimMs: number) {
    this.#database = database
    this.#entity = entity
    this.#claimMs = claimMs
  }

  async find(cacheKey: string): Promise<Found> {
    const isLive = { $gt: ['$expiresAt', '$$NOW'] }
    const projection = { _id: 0, data: 1, expiresAt: 1, claim: 1, isLive }
    const found = await this.#run('find', (entries) => entries.findOne({ cacheKey }, { projection }))
    if (found === null) return { state: 'none' }
    if (found.claim !== undefined) return found.isLive ? { state: 'claimed', claim: found.claim } : { state: 'none' }
    if (found.expiresAt <= this.#database.clock.now()) return { state: 'none' }
    return 'data' in found ? { state: 'ready', data: found.data } : { state: 'too large' }
  }

  /** Takes it on to compute the entry, if it is not there, has expired, or whoever computed it has not been heard of. @returns whether. */
  async claim(subject: CacheSubject, claim: string): Promise<boolean> {
    const now = this.#database.clock.now()
    const isComputed = { $eq: [{ $type: '$claim' }, 'missing'] }
    const hasExpired = { $or: [{ $eq: [{ $type: '$expiresAt' }, 'missing'] }, { $lte: ['$expiresAt', now] }] }
    const isFree = { $cond: [isComputed, hasExpired, { $lte: ['$expiresAt', '$$NOW'] }] }
    const fields = { $literal: { ...subject, claim, lastUpdated: now, ...newDocument(now) } }
    const claimed = { $mergeObjects: [{ _id: '$_id' }, fields, { expiresAt: this.#claimEnd }] }
    const update = [{ $replaceWith: { $cond: [isFree, claimed, '$$ROOT'] } }]
    const { cacheKey } = subject
    const entry = await this.#run('claim', (entries) =>
      entries
        .findOneAndUpdate({ cacheKey }, update, { upsert: true, returnDocument: 'after', projection: { claim: 1 } })
        .catch(nullIfTaken),
    )
    return entry?.claim === claim
  }

  /** Says that the computation goes on. @returns whether the claim was still there. */
  async renew(cacheKey: string, claim: string): Promise<boolean> {
    const longer = [{ $set: { expiresAt: this.#claimEnd } }]
    const { matchedCount } = await this.#run('renew', (entries) => entries.updateOne({ cacheKey, claim }, longer))
    return matchedCount > 0
  }

  /** Whether the computation is going on, as far as one can tell. */
  async isClaimed(cacheKey: string, claim: string): Promise<boolean> {
    const live = { cacheKey, claim, $expr: { $gt: ['$expiresAt', '$$NOW'] } }
    const found = await this.#run('isClaimed', (entries) => entries.findOne(live, { projection: { _id: 1 } }))
    return found !== null
  }

  /** Stores the result of a claimed computation, unless the claim was invalidated or has gone to another. @returns whether. */
  async fill(cacheKey: string, claim: string, result: CacheResult): Promise<boolean> {
    const now = this.#database.clock.now()
    const update = { $set: { ...this.#computed(result), updatedAt: now }, $unset: { claim: '' }, $inc: { __v: 1 } }
    const { matchedCount } = await this.#run('fill', (entries) => entries.updateOne({ cacheKey, claim }, update))
    return matchedCount > 0
  }

  /** Gives the claim up. */
  async release(cacheKey: string, claim: string): Promise<void> {
    await this.#run('release', (entries) => entries.deleteOne({ cacheKey, claim }))
  }

  /** Stores a result, whatever is there. */
  async put(subject: CacheSubject, result: CacheResult): Promise<void> {
    const document = { ...subject, ...this.#computed(result), ...newDocument(this.#database.clock.now()) }
    await this.#run('put', (entries) => entries.replaceOne({ cacheKey: subject.cacheKey }, document, { upsert: true }))
  }

  /** Removes the results that depend on what has changed, and the claims of those that are being computed. */
  async removeDependents(changed: Dependencies): Promise<number> {
    const { deletedCount } = await this.#run('invalidate', (entries) => entries.deleteMany(dependingOn(changed)))
    return deletedCount
  }

  async removeExpired(): Promise<number> {
    const expired = { expiresAt: { $lte: this.#database.clock.now() }, claim: { $exists: false } }
    const { deletedCount } = await this.#run('cleanExpired', (entries) => entries.deleteMany(expired))
    return deletedCount
  }

  get #claimEnd() {
    return { $add: ['$$NOW', this.#claimMs] }
  }

  #computed({ data, dataSize, computationTime, ttlMs }: CacheResult) {
    const lastUpdated = this.#database.clock.now()
    const expiresAt = new Date(lastUpdated.getTime() + ttlMs)
    const kept = dataSize > largestData ? undefined : data
    return { data: kept, dataSize, computationTime, lastUpdated, expiresAt }
  }

  /** Outside the caller's transaction: what others wait for must not depend on how that ends. */
  #run<Result>(operation: string, task: (entries: Collection<Document>) => Promise<Result>): Promise<Result> {
    const { transactions } = this.#database
    // A removal that a fallen primary forgets would bring old figures back.
    const options = { writeConcern: { w: 'majority' }, readPreference: 'primary' } as const
    return transactions.outside(() =>
      this.#database.run(this.#entity, operation, () =>
        task(this.#database.native.collection(this.#entity.collection, options)),
      ),
    )
  }
}

function newDocument(now: Date) {
  return { createdAt: now, updatedAt: now, __v: 0 }
}

/** Two claimed a new key at once, and the other was first. */
function nullIfTaken(error: unknown): null {
  if (serverErrorCode(error) === duplicateKey) return null
  throw error
}
