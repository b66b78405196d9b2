import { isDeepStrictEqual } from 'node:util'
import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { AuditedChange, AuditLog } from '../../activity/audit-log.js'
import type { Database } from '../../core/database.js'
import type { Entity, StoredFields } from '../../core/entity.js'
import { ConflictError, DatabaseError } from '../../core/errors.js'
import { type Changes, change } from '../../core/repository/changes.js'
import { where } from '../../core/repository/conditions.js'
import { Reader } from '../../core/repository/reader.js'
import { Repository } from '../../core/repository/repository.js'
import { retryCreation } from '../../core/retry-on-conflict.js'
import { validateData } from '../../core/validate.js'
import { timeZone as timeZoneName } from '../../devices/time-zone.js'
import { type PriceInForce, tariffOf } from '../../metering/index.js'
import { type CostVersion, type CostVersionInput, DEFAULT_TARIFF } from './cost-version.js'
import type { Recosting, RecostingInput } from './recosting.js'
import type { TariffHead, TariffHeadInput } from './tariff-head.js'

const pricedFields = ['pricePerKwh', 'bands', 'taxes', 'feedInPricePerKwh', 'carbonIntensityGPerKwh'] as const
const optionalFields = ['bands', 'taxes', 'feedInPricePerKwh', 'carbonIntensityGPerKwh', 'note'] as const

/** A version as it is to be. */
type Wanted = Omit<CostVersion, keyof StoredFields>

/** Tariff change options: who changes a tariff, and on the ground of what. */
export interface TariffChangeOptions {
  /** Who does it, for the audit log: an id or a name of the host's. */
  readonly actor?: string
  /** The `__v` of the version that the change was made for; another one means that somebody was faster, and nothing is written. */
  readonly version?: number
}

const optionsSchema = z.strictObject({
  actor: z.string().min(1).max(256).optional(),
  version: z.int().min(0).optional(),
})

const what = 'The question'
const questionSchema = z.strictObject({
  tariff: z.string().min(1).max(100),
  at: z.date().optional(),
  timeZone: timeZoneName().optional(),
})

export interface TariffParts {
  readonly costVersions: Entity<CostVersion, CostVersionInput>
  readonly heads: Entity<TariffHead, TariffHeadInput>
  readonly recostings: Entity<Recosting, RecostingInput>
  readonly auditLog: AuditLog
}

/**
 * What energy costs: the versions of each tariff, read like any documents, and changed here alone. Each change is stored
 * with a record in the audit log, and with an order to compute again what it touches, or not at all.
 */
export class Tariffs extends Reader<CostVersion> {
  readonly #versions: Repository<CostVersion, CostVersionInput>
  readonly #heads: Repository<TariffHead, TariffHeadInput>
  readonly #recostings: Repository<Recosting, RecostingInput>
  readonly #auditLog: AuditLog

  constructor(database: Database, { costVersions, heads, recostings, auditLog }: TariffParts) {
    super(database, costVersions)
    this.#versions = new Repository(database, costVersions)
    this.#heads = new Repository(database, heads)
    this.#recostings = new Repository(database, recostings)
    this.#auditLog = auditLog
  }

  /**
   * Makes the version of a tariff that starts at this instant be as the input says: what it leaves out is removed. One that
   * is so already stays as it is, and nothing is recorded.
   * @throws ValidationError, ConflictError `STALE_VERSION`, DatabaseError `CURRENCY_FIXED` if the tariff has another currency.
   */
  async set(input: CostVersionInput, options: TariffChangeOptions = {}): Promise<CostVersion> {
    const { actor, version } = validateData(optionsSchema, options, 'The options')
    const wanted = validateData(this.entity.inputSchema, input, 'The cost version') as Wanted
    const { tariff, startsAt } = wanted
    return this.#inTurn(async () => {
      const found = await this.findOne({ tariff, startsAt })
      requireVersion(found, version)
      if (found !== null && isSame(found, wanted, [...pricedFields, 'currency', 'note'])) return found
      await this.#claim(tariff, wanted.currency)
      const stored =
        found === null
          ? await this.#versions.create(wanted)
          : await this.#versions.update(found._id, replacement(wanted))
      await this.#follow({ actor, before: found ?? undefined, after: stored })
      return stored
    })
  }

  /**
   * Takes a version away: the one before it holds on.
   * @throws NotFoundError, ConflictError `STALE_VERSION`.
   */
  async remove(id: ObjectId | string, options: TariffChangeOptions = {}): Promise<void> {
    const { actor, version } = validateData(optionsSchema, options, 'The options')
    await this.#inTurn(async () => {
      const found = await this.get(id)
      requireVersion(found, version)
      await this.#claim(found.tariff, found.currency)
      await this.#versions.delete(id)
      await this.#follow({ actor, before: found })
    })
  }

  /** All versions of a tariff, by their start. */
  async list(tariff: string = DEFAULT_TARIFF): Promise<CostVersion[]> {
    validateData(questionSchema, { tariff }, what)
    const versions: CostVersion[] = []
    for await (const version of this.stream({ tariff }, { sort: { startsAt: 1 } })) versions.push(version)
    return versions
  }

  /** The version of a tariff that holds at an instant; null before the first. */
  async inForce(tariff: string, at: Date): Promise<CostVersion | null> {
    validateData(questionSchema, { tariff, at }, what)
    return this.findOne({ tariff, startsAt: where.lte(at) }, { sort: { startsAt: -1 } })
  }

  /**
   * What a kWh costs at an instant where clocks show the time of this zone, with taxes; null before the first version.
   * @throws ValidationError if the zone is not known.
   */
  async priceAt(tariff: string, at: Date, timeZone: string): Promise<PriceInForce<CostVersion> | null> {
    validateData(questionSchema, { tariff, at, timeZone }, what)
    const version = await this.inForce(tariff, at)
    if (version === null) return null
    return tariffOf([version]).priceAt(at.getTime(), timeZone) ?? null
  }

  /** One change after the other: of two at once, one starts over and sees what the other did. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return retryCreation(this.database, () => this.database.transactions.run(work))
  }

  /** Takes the tariff's turn, and holds it to its currency. */
  async #claim(name: string, currency: string): Promise<void> {
    const head = await this.#heads.findOne({ name })
    if (head === null) {
      await this.#heads.create({ name, currency })
      return
    }
    if (head.currency !== currency) {
      throw new DatabaseError('CURRENCY_FIXED', `The tariff ${name} is in ${head.currency}, and stays so`)
    }
    await this.#heads.update(head._id, { revision: change.inc(1) })
  }

  /** Records the change, and orders what it touches to be computed again, if it touches prices. */
  async #follow(changed: Pick<AuditedChange, 'actor'> & { before?: CostVersion | undefined; after?: CostVersion }) {
    const { actor, before, after } = changed
    const subject = after ?? before
    if (subject === undefined) return
    const { tariff, startsAt: from } = subject
    const next = await this.findOne({ tariff, startsAt: where.gt(from) }, { sort: { startsAt: 1 } })
    const audit = await this.#auditLog.record({ entity: this.entity, actor, before, after })
    const isPriced = before === undefined || after === undefined || !isSame(before, after, pricedFields)
    if (!isPriced) return
    await this.#recostings.create({ tariff, from, audit, ...(next === null ? {} : { until: next.startsAt }) })
  }
}

function requireVersion(found: CostVersion | null, version: number | undefined): void {
  if (version === undefined || found?.__v === version) return
  throw new ConflictError('STALE_VERSION', `The cost version is not at version ${version} any more`)
}

/** Sets what the input has, and removes what it has not. */
function replacement(wanted: Wanted): Changes<CostVersion, CostVersionInput> {
  const removed = optionalFields.filter((name) => wanted[name] === undefined)
  return { ...wanted, ...Object.fromEntries(removed.map((name) => [name, change.unset()])) } as Changes<
    CostVersion,
    CostVersionInput
  >
}

function isSame(one: Wanted, other: Wanted, names: readonly (keyof Wanted)[]): boolean {
  return names.every((name) => isDeepStrictEqual(one[name], other[name]))
}
