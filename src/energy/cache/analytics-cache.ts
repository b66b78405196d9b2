import { BSON } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import { isPlainObject } from '../../core/is-record.js'
import { refused } from '../../core/repository/data.js'
import { Reader } from '../../core/repository/reader.js'
import { validateData } from '../../core/validate.js'
import { type CacheEntry, cacheType as cacheTypeSchema } from './cache-entry.js'
import { cacheKeyOf } from './cache-key.js'
import { type CacheResult, CacheStore, type CacheSubject } from './cache-store.js'
import { type CacheDependencies, dependenciesSchema } from './dependencies.js'
import { SharedComputations } from './shared-computations.js'
import { copyOfData } from './stored-data.js'

const defaultTtlMs = 3_600_000
const longestTtlMs = 31 * 86_400_000
const defaultClaimMs = 5_000
/** Bytes. */
const largestParameters = 16 * 1024
const always = { fromDay: '0001-01-01', toDay: '9999-12-31' }

const optionsSchema = z.strictObject({
  ttlMs: z.int().min(1).max(longestTtlMs).default(defaultTtlMs),
  dependsOn: dependenciesSchema.default(always),
})

const setSchema = optionsSchema.extend({ computationTimeMs: z.number().min(0).max(1e12).optional() })

export interface CacheOptions {
  /** ms from the end of the computation until the data expires: an hour if left out, 31 days at most. */
  readonly ttlMs?: number
  /** The roll-ups that the data is made of: those of all days and places if left out. */
  readonly dependsOn?: CacheDependencies
}

export interface SetCachedDataOptions extends CacheOptions {
  /** ms; how long it took to compute the data. */
  readonly computationTimeMs?: number
}

/**
 * Results of analytics, each computed once for all who ask, in this process and in others, and kept until it expires or the
 * roll-ups that it is made of change. Each caller gets a copy of its own, in which every value has the type it had.
 */
export class AnalyticsCache extends Reader<CacheEntry> {
  readonly #store: CacheStore
  readonly #computations: SharedComputations

  /** @param claimMs How long a process that computes may be silent before another takes over. */
  constructor(database: Database, entity: Entity<CacheEntry>, claimMs: number = defaultClaimMs) {
    super(database, entity)
    this.#store = new CacheStore(database, entity, claimMs)
    this.#computations = new SharedComputations(this.#store, claimMs, (error) => {
      this.database.logger.warn({ error }, 'A result could not be kept in the cache')
    })
  }

  /**
   * The data for these parameters, from the cache or else computed. Of all who ask at once one computes; if its process dies,
   * another takes over. What `compute` throws reaches everybody who waits in this process; in another process the next one
   * tries for itself. What is invalidated meanwhile, or too large for a document, is given back but not kept. Inside a
   * transaction the cache is left out: what is read there may never be committed.
   * @param compute Reads from the primary, or an invalidation may come before what it announces.
   * @throws ValidationError for data that MongoDB would not give back as it is, such as a Map or a bigint.
   */
  async getOrCompute<Data>(
    cacheType: string,
    parameters: object,
    compute: () => Data | Promise<Data>,
    options: CacheOptions = {},
  ): Promise<Data> {
    if (typeof compute !== 'function') throw refused('The computation', '', 'expected a function', compute)
    const { subject, ttlMs } = this.#describe(cacheType, parameters, options)
    const measured = async () => {
      const startedMs = performance.now()
      const data = await compute()
      const computationTime = performance.now() - startedMs
      return resultOf(data, { computationTime, ttlMs })
    }
    if (this.database.transactions.session !== undefined) return (await measured()).data as Data
    return copyOfData(dataSubject, await this.#computations.get(subject, measured)) as Data
  }

  /** The data that is kept for these parameters; undefined if there is none, or it has expired. */
  async getCachedData<Data>(cacheType: string, parameters: object): Promise<Data | undefined> {
    const { subject } = this.#describe(cacheType, parameters, {})
    const found = await this.#store.find(subject.cacheKey)
    return found.state === 'ready' ? (found.data as Data) : undefined
  }

  /**
   * Keeps data for these parameters, whatever is there. What changed while it was computed is not known here: that
   * {@link getOrCompute} takes care of.
   * @throws ValidationError as {@link getOrCompute}; DatabaseError `TRANSACTION` inside a transaction.
   */
  async setCachedData(
    cacheType: string,
    parameters: object,
    data: unknown,
    options: SetCachedDataOptions = {},
  ): Promise<void> {
    this.#refuseTransaction('Data is kept in the cache')
    const { computationTimeMs: computationTime, ...others } = validateData(
      setSchema,
      options,
      'The options of the cache',
    )
    const { subject, ttlMs } = this.#describe(cacheType, parameters, others)
    await this.#store.put(subject, resultOf(data, { computationTime, ttlMs }))
  }

  /**
   * Removes what depends on roll-ups that have changed, and keeps what is being computed of them from being stored. To be
   * called when the change is committed. One command, whatever the number of days.
   * @returns how many entries went.
   * @throws ValidationError; DatabaseError `TRANSACTION` inside a transaction.
   */
  async invalidate(changed: CacheDependencies): Promise<number> {
    this.#refuseTransaction('The cache is invalidated')
    return this.#store.removeDependents(validateData(dependenciesSchema, changed, 'What has changed'))
  }

  /** Removes what has expired by the handle's clock. The database does so too, a minute or so late, by its own. @returns how many entries went. */
  cleanExpired(): Promise<number> {
    return this.#store.removeExpired()
  }

  #describe(cacheType: string, parameters: object, options: CacheOptions): { subject: CacheSubject; ttlMs: number } {
    const type = validateData(cacheTypeSchema(), cacheType, 'The type of the cached data')
    const { ttlMs, dependsOn } = validateData(optionsSchema, options, 'The options of the cache')
    if (!isPlainObject(parameters)) throw refused(parametersSubject, '', 'are no plain object', parameters)
    const copied = copyOfData(parametersSubject, parameters)
    if (BSON.calculateObjectSize(copied) > largestParameters) {
      throw refused(parametersSubject, '', `have more than ${largestParameters} bytes`, parameters)
    }
    return { subject: { cacheKey: cacheKeyOf(type, copied), cacheType: type, parameters: copied, dependsOn }, ttlMs }
  }

  #refuseTransaction(what: string): void {
    if (this.database.transactions.session === undefined) return
    throw new DatabaseError('TRANSACTION', `${what} outside transactions; do it when yours has committed`)
  }
}

const parametersSubject = 'The parameters'
const dataSubject = 'The data'

function resultOf(
  data: unknown,
  { computationTime, ttlMs }: Pick<CacheResult, 'computationTime' | 'ttlMs'>,
): CacheResult {
  const copied = copyOfData(dataSubject, data)
  return { data: copied, dataSize: BSON.calculateObjectSize({ data: copied }), computationTime, ttlMs }
}
