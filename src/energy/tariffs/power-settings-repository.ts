import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ConflictError, NotFoundError } from '../../core/errors.js'
import { type BulkOperation, type BulkResult, requireBatch, requireOperations } from '../../core/repository/bulk.js'
import type { Changes } from '../../core/repository/changes.js'
import type { Filter } from '../../core/repository/conditions.js'
import { Repository, type UpdateOptions } from '../../core/repository/repository.js'
import { retryCreation } from '../../core/retry-on-conflict.js'
import { DEFAULT_TARIFF } from './cost-version.js'
import type { PowerSettings, PowerSettingsInput } from './power-settings.js'
import type { Tariffs } from './tariffs.js'

const beginning = new Date(0)

/**
 * The power settings. Their price is that of the tariff `default`: setting it, or its currency, makes a version of the tariff
 * from now on, in the same transaction. The first price holds since 1970.
 */
export class PowerSettingsRepository extends Repository<PowerSettings, PowerSettingsInput> {
  readonly #tariffs: Tariffs

  constructor(
    database: Database,
    entity: Entity<PowerSettings, PowerSettingsInput>,
    tariffs: Tariffs,
    documents?: EntityCollection<PowerSettings>,
  ) {
    super(database, entity, documents)
    this.#tariffs = tariffs
  }

  /** @internal */
  override over(documents: EntityCollection<PowerSettings>): PowerSettingsRepository {
    return new PowerSettingsRepository(this.database, this.entity, this.#tariffs, documents)
  }

  /**
   * The settings; made of `initial` where there are none, once, however many processes ask.
   * @throws NotFoundError if there are none, and none to make them of.
   */
  async getSingleton(initial?: PowerSettingsInput): Promise<PowerSettings> {
    const found = await this.#current()
    if (found !== null) return found
    if (initial === undefined) throw new NotFoundError(this.entity.name, 'the name default')
    try {
      return await this.create(initial)
    } catch (error) {
      const made = error instanceof ConflictError ? await this.#current() : null
      if (made === null) throw error
      return made
    }
  }

  /** As every repository's. @throws DatabaseError `CURRENCY_FIXED` if the tariff `default` has another currency. */
  override create(input: PowerSettingsInput): Promise<PowerSettings> {
    return this.#changing(() => super.create(input))
  }

  override createMany(inputs: readonly PowerSettingsInput[]): Promise<PowerSettings[]> {
    return this.#changing(() => super.createMany(inputs))
  }

  /** As every repository's. @throws DatabaseError `CURRENCY_FIXED` if the tariff `default` has another currency. */
  override update(
    id: ObjectId | string,
    changes: Changes<PowerSettings, PowerSettingsInput>,
    options: UpdateOptions = {},
  ): Promise<PowerSettings> {
    return this.#changing((before) => super.update(id, { ...changes, ...nextVersion(before) }, options))
  }

  /** As every repository's. @throws DatabaseError `CURRENCY_FIXED` if the tariff `default` has another currency. */
  override async upsert(filter: Filter<PowerSettings>, input: PowerSettingsInput): Promise<PowerSettings> {
    return retryCreation(this.database, () =>
      this.#changing((before) => super.upsert(filter, { ...input, ...nextVersion(before) })),
    )
  }

  override async bulk(operations: readonly BulkOperation<PowerSettings, PowerSettingsInput>[]): Promise<BulkResult> {
    requireBatch(this.entity, operations)
    requireOperations(this.entity, operations)
    return this.#changing((before) => {
      const counted = operations.map((operation) =>
        'update' in operation ? { ...operation, changes: { ...operation.changes, ...nextVersion(before) } } : operation,
      )
      return super.bulk(counted)
    })
  }

  #current(): Promise<PowerSettings | null> {
    return this.findOne({ name: 'default' })
  }

  /** Writes, and lets the tariff follow. */
  #changing<Result>(write: (before: PowerSettings | null) => Promise<Result>): Promise<Result> {
    return this.database.transactions.run(async () => {
      const before = await this.#current()
      const result = await write(before)
      const after = await this.#current()
      if (after !== null && !hasPriceOf(before, after)) await this.#follow(before, after)
      return result
    })
  }

  async #follow(before: PowerSettings | null, after: PowerSettings): Promise<void> {
    const now = this.database.clock.now()
    const inForce = await this.#tariffs.inForce(DEFAULT_TARIFF, now)
    if (inForce === null) {
      await this.#tariffs.set({ startsAt: beginning, ...priceOf(before ?? after) })
      if (before === null) return
    }
    const { feedInPricePerKwh, carbonIntensityGPerKwh } = inForce ?? {}
    await this.#tariffs.set({
      startsAt: now,
      ...priceOf(after),
      ...(feedInPricePerKwh === undefined ? {} : { feedInPricePerKwh }),
      ...(carbonIntensityGPerKwh === undefined ? {} : { carbonIntensityGPerKwh }),
    })
  }
}

function hasPriceOf(one: PowerSettings | null, other: PowerSettings): boolean {
  return one?.electricityPrice === other.electricityPrice && one.currency === other.currency
}

function priceOf({ electricityPrice, currency }: PowerSettings) {
  return { pricePerKwh: electricityPrice, currency }
}

function nextVersion(before: PowerSettings | null): { version?: number } {
  return before === null ? {} : { version: before.version + 1 }
}
