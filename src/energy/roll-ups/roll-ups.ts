import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { validateData } from '../../core/validate.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { PricingContexts, type PricingReaders } from '../tariffs/pricing-context.js'
import type { Recosting, RecostingInput } from '../tariffs/recosting.js'
import type { DeviceChains } from './from-ledger.js'
import { RollUpRebuilder } from './rebuilder.js'
import { Recoster, type RecostResult } from './recoster.js'
import { type DayChange, type DeviceDay, type MonthChange, type RollUpEntities, RollUpStore } from './roll-up-store.js'
import { type RollUpUpdate, RollUpUpdater } from './roll-up-updater.js'

/** Civil days, both included, `YYYY-MM-DD`. */
export const rollUpSpanSchema = z
  .strictObject({
    /** The first day or instant, included. */
    from: z.iso.date(),
    /** The last day, included, or the instant at which it ends. */
    to: z.iso.date(),
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'expected a day not before the first' })
export type RollUpSpan = z.input<typeof rollUpSpanSchema>

/** What the work is recorded as. */
export const rollUpWork = 'roll-ups'

export const rollUpStartSchema = z.strictObject({
  /** How long it rests between two updates. Each touches the documents of all devices that have reported, so longer rests cost less. */
  everyMs: z.int().min(100).max(86_400_000).default(10_000),
})
export type RollUpStartOptions = z.input<typeof rollUpStartSchema>

/** A roll-up that is not what the ledger says. */
export interface RollUpDifference {
  readonly kind: 'day' | 'month'
  readonly deviceId: string
  readonly classroom: string
  /** `YYYY-MM-DD`, or `YYYY-MM`. */
  readonly date: string
  /** kWh by the ledger; null where there is to be no document. */
  readonly expectedKwh: number | null
  /** kWh as it is stored; null where there is no document. */
  readonly foundKwh: number | null
  /** By the tariff, in its currency's units. */
  readonly expectedCost: number | null
  readonly foundCost: number | null
}

/** Roll-up report: what a comparison of the roll-ups with the ledger has come to. */
export interface RollUpReport {
  readonly valid: boolean
  readonly devices: number
  /** At most 1,000. */
  readonly differences: readonly RollUpDifference[]
}

export interface RollUpParts {
  readonly ledger: Ledger
  readonly entities: RollUpEntities
  readonly recostings: Entity<Recosting, RecostingInput>
  readonly contexts: PricingReaders
  readonly prices: PriceBookReader
  /** Called with the days that have changed. */
  readonly onChanged: (days: readonly DeviceDay[]) => Promise<void>
}

const mostDifferences = 1000
const devicesAtOnce = 3

/**
 * Hours, days and months of energy and cost, kept from the ledger. Every worker that calls {@link update} or
 * {@link start} helps; what is written twice is written once.
 */
export class RollUps {
  readonly #database: Database
  readonly #parts: RollUpParts
  readonly #updater: RollUpUpdater
  readonly #rebuilder: RollUpRebuilder
  readonly #recoster: Recoster

  constructor(database: Database, parts: RollUpParts) {
    this.#database = database
    this.#parts = parts
    const store = new RollUpStore(database, parts.entities, parts.onChanged)
    this.#updater = new RollUpUpdater({ database, store, ...parts })
    this.#rebuilder = new RollUpRebuilder(database, store, parts.ledger)
    const { recostings, entities } = parts
    this.#recoster = new Recoster({
      database,
      store,
      recostings,
      daily: entities.daily,
      classrooms: parts.contexts.classrooms,
      rebuilder: this.#rebuilder,
    })
  }

  /**
   * Adds what the ledger has and the roll-ups do not. The work grows with the new entries and the number of switches.
   * @throws DatabaseError `REPLICA_SET_REQUIRED` on a standalone server, `TRANSACTION` inside a transaction.
   */
  async update(): Promise<RollUpUpdate> {
    this.#requireNoTransaction()
    return this.#updater.update((completeUntil) => this.#database.workRecords.record(rollUpWork, completeUntil))
  }

  /**
   * Computes again what the changed prices of tariffs touch, and the days of classrooms that have another tariff now; from
   * the hours that are there, and from the ledger only where a price changes within an hour that was not cut there. A worker
   * that is killed is gone on after.
   * @throws DatabaseError `TRANSACTION` inside a transaction.
   */
  async recost(): Promise<RecostResult> {
    this.#requireNoTransaction()
    return this.#recoster.run(() => this.#contextsNow())
  }

  /** Updates and re-costs now and then until it is stopped or the handle is closed. @returns a function that stops it. */
  start(options: RollUpStartOptions = {}): () => Promise<void> {
    const { everyMs } = validateData(rollUpStartSchema, options, 'The options of the roll-ups')
    const work = async () => {
      await this.update()
      await this.recost()
    }
    return this.#database.periodic.start({ name: rollUpWork, everyMs, work })
  }

  /**
   * Makes the days anew from the ledger, and their months, for the entries that are in the roll-ups: the numbers are the
   * same unless somebody has changed them, or a classroom's time zone. Device by device: memory does not grow with the
   * ledger.
   * @returns how many documents were not what they are now.
   * @throws ValidationError; DatabaseError `ARCHIVED` if entries of the days are archived, `TRANSACTION` inside a transaction.
   */
  async rebuild(span: RollUpSpan): Promise<{ readonly days: number; readonly months: number }> {
    this.#requireNoTransaction()
    const days = validateData(rollUpSpanSchema, span, 'The days')
    const total = { days: 0, months: 0 }
    await this.#forEachDevice(async (rebuilder, device, contexts) => {
      const changed = await rebuilder.rebuild(device, days, contexts)
      total.days += changed.days.length
      total.months += changed.months.length
    })
    return total
  }

  /**
   * Compares the days, and their months, with what the ledger says.
   * @throws ValidationError; DatabaseError `ARCHIVED` if entries of the days are archived.
   */
  async verify(span: RollUpSpan): Promise<RollUpReport> {
    const days = validateData(rollUpSpanSchema, span, 'The days')
    const differences: RollUpDifference[] = []
    const devices = await this.#forEachDevice(async (rebuilder, device, contexts) => {
      const found = await rebuilder.differences(device, days, contexts)
      const named = [...found.days.flatMap(dayDifference), ...found.months.flatMap(monthDifference)]
      differences.push(...named.slice(0, mostDifferences - differences.length))
    })
    return { valid: differences.length === 0, devices, differences }
  }

  /** A batch that meets another worker's is begun anew, which the caller's transaction could not be. */
  #requireNoTransaction(): void {
    if (this.#database.transactions.session === undefined) return
    throw new DatabaseError('TRANSACTION', 'Roll-ups are written in transactions of their own; call this outside')
  }

  async #contextsNow(): Promise<PricingContexts> {
    return PricingContexts.withAllClassrooms(this.#parts.contexts, await this.#parts.prices.read())
  }

  /** @returns how many there are. */
  async #forEachDevice(
    work: (rebuilder: RollUpRebuilder, device: DeviceChains, contexts: PricingContexts) => Promise<void>,
  ): Promise<number> {
    const contexts = await this.#contextsNow()
    const devices = await this.#rebuilder.devices()
    await forEachConcurrently(devices, devicesAtOnce, (device) => work(this.#rebuilder, device, contexts))
    return devices.length
  }
}

function dayDifference({ before, after }: DayChange): RollUpDifference[] {
  const day = after ?? before
  return day === undefined ? [] : [difference('day', day.date_string, day, before, after)]
}

function monthDifference({ before, after }: MonthChange): RollUpDifference[] {
  const month = after ?? before
  return month === undefined ? [] : [difference('month', month.month, month, before, after)]
}

interface Comparable {
  readonly device_id: ObjectId
  readonly classroom: ObjectId
  readonly total_kwh: number
  readonly cost_at_calc_time: number
}

function difference(
  kind: RollUpDifference['kind'],
  date: string,
  { device_id, classroom }: Comparable,
  before: Comparable | undefined,
  after: Comparable | undefined,
): RollUpDifference {
  return {
    kind,
    deviceId: device_id.toHexString(),
    classroom: classroom.toHexString(),
    date,
    expectedKwh: after?.total_kwh ?? null,
    foundKwh: before?.total_kwh ?? null,
    expectedCost: after?.cost_at_calc_time ?? null,
    foundCost: before?.cost_at_calc_time ?? null,
  }
}
