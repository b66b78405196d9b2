import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { newStamps } from '../../core/collection/stamps.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError } from '../../core/errors.js'
import type { CacheEntry } from './cache-entry.js'
import { type Dependencies, dependingOn } from './dependencies.js'

/** Bytes. A document may have 16 MB; the rest is for what is not data. */
const largestData = 16 * 1024 * 1024 - 256 * 1024

/** Cache subject: what an entry is found by, and what it depends on. */
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

/** Found: what is known of a key. */
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
  readonly #entries: EntityCollection<CacheEntry>
  readonly #claimMs: number

  constructor(database: Database, entity: Entity<CacheEntry>, claimMs: number) {
    this.#database = database
    // What others wait for must not depend on how a transaction ends, and a removal that a fallen primary forgets would bring
    // old figures back.
    this.#entries = database.of(entity, { isDurable: true, isOutside: true })
    this.#claimMs = claimMs
  }

  async find(cacheKey: string): Promise<Found> {
    const isLive = { $gt: ['$expiresAt', '$$NOW'] }
    const projection = { _id: 0, data: 1, expiresAt: 1, claim: 1, isLive }
    const found = await this.#entries.findOne<CacheEntry & { readonly isLive: boolean }>({ cacheKey }, { projection })
    if (found === null) return { state: 'none' }
    if (found.claim !== undefined) return found.isLive ? { state: 'claimed', claim: found.claim } : { state: 'none' }
    if (found.expiresAt <= this.#database.clock.now()) return { state: 'none' }
    return 'data' in found ? { state: 'ready', data: found.data } : { state: 'too large' }
  }

  /**
   * Takes it on to compute the entry, if it is not there, has expired, or the process that computed it is silent.
   * @returns whether this call has it.
   */
  async claim(subject: CacheSubject, claim: string): Promise<boolean> {
    const now = this.#database.clock.now()
    const isComputed = { $eq: [{ $type: '$claim' }, 'missing'] }
    const hasExpired = { $or: [{ $eq: [{ $type: '$expiresAt' }, 'missing'] }, { $lte: ['$expiresAt', now] }] }
    const isFree = { $cond: [isComputed, hasExpired, { $lte: ['$expiresAt', '$$NOW'] }] }
    const fields = { $literal: { ...subject, claim, lastUpdated: now, ...newStamps(now) } }
    const claimed = { $mergeObjects: [{ _id: '$_id' }, fields, { expiresAt: this.#claimEnd }] }
    const update = [{ $replaceWith: { $cond: [isFree, claimed, '$$ROOT'] } }]
    const { cacheKey } = subject
    try {
      const entry = await this.#entries.findOneAndUpdate({ cacheKey }, update, {
        upsert: true,
        projection: { claim: 1 },
      })
      return entry?.claim === claim
    } catch (error) {
      // Two claimed a new key at once, and the other was first.
      if (error instanceof ConflictError) return false
      throw error
    }
  }

  /** Says that the computation goes on. @returns whether the claim was still there. */
  async renew(cacheKey: string, claim: string): Promise<boolean> {
    const { matched } = await this.#entries.updateOne({ cacheKey, claim }, [{ $set: { expiresAt: this.#claimEnd } }])
    return matched > 0
  }

  /** Whether the computation is going on, as far as one can tell. */
  async isClaimed(cacheKey: string, claim: string): Promise<boolean> {
    const live = { cacheKey, claim, $expr: { $gt: ['$expiresAt', '$$NOW'] } }
    return (await this.#entries.findOne(live, { projection: { _id: 1 } })) !== null
  }

  /** Stores the result of a claimed computation, unless the claim was invalidated or has gone to another. @returns whether. */
  async fill(cacheKey: string, claim: string, result: CacheResult): Promise<boolean> {
    const update = { $set: this.#computed(result), $unset: { claim: '' } }
    const { matched } = await this.#entries.updateOne({ cacheKey, claim }, update)
    return matched > 0
  }

  /** Gives the claim up. */
  async release(cacheKey: string, claim: string): Promise<void> {
    await this.#entries.deleteOne({ cacheKey, claim })
  }

  /** Stores a result, whatever is there. */
  async put(subject: CacheSubject, result: CacheResult): Promise<void> {
    const fields = { $literal: { ...subject, ...this.#computed(result), ...newStamps(this.#database.clock.now()) } }
    const update = [{ $replaceWith: { $mergeObjects: [{ _id: '$_id' }, fields] } }]
    await this.#entries.updateOne({ cacheKey: subject.cacheKey }, update, { upsert: true })
  }

  /** Removes the results that depend on what has changed, and the claims of those that are being computed. */
  removeDependents(changed: Dependencies): Promise<number> {
    return this.#entries.deleteMany(dependingOn(changed))
  }

  removeExpired(): Promise<number> {
    return this.#entries.deleteMany({ expiresAt: { $lte: this.#database.clock.now() }, claim: { $exists: false } })
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
}
