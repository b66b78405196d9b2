import { type Filter, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { DatabaseError, NotFoundError, ValidationError } from '../../core/errors.js'
import { instant, objectId, toObjectId } from '../../core/fields.js'
import { inSession } from '../../core/repository/in-session.js'
import type { Page } from '../../core/repository/page.js'
import { Reader } from '../../core/repository/reader.js'
import { Repository } from '../../core/repository/repository.js'
import { validateData } from '../../core/validate.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { lastEntries } from '../../ledger/last-entries.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { PricingContexts, type PricingReaders } from '../tariffs/pricing-context.js'
import type { DeviceConsumption } from './device-consumption.js'
import { IntervalDeriver } from './interval-deriver.js'
import type { IntervalFields } from './interval-document.js'
import type { IntervalRevision } from './interval-revision.js'
import { type IntervalChanges, IntervalStore } from './interval-store.js'
import { type ManualIntervalInput, manualFields, manualIntervalSchema } from './manual-interval.js'

const deriveSchema = z
  .strictObject({
    /** The first day or instant, included. */
    from: instant(),
    /** The last day, included, or the instant at which it ends. */
    to: instant(),
    /** The device that it is of. */
    deviceId: objectId().optional(),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'expected an instant after the first' })

const historySchema = z.strictObject({
  /** The device, by its id. */
  device: z.union([objectId(), z.string().min(1).max(100)], { error: 'expected the id of a device' }),
})

/** The time whose intervals are to be derived, of all switches or of those of a device. */
export type DeriveOptions = z.input<typeof deriveSchema>

/** What a derivation has done. */
export interface Derivation extends IntervalChanges {
  /** How many switches it has looked at. */
  readonly switches: number
}

export interface IntervalParts extends PricingReaders {
  readonly ledger: Ledger
  readonly prices: PriceBookReader
  readonly revisions: Entity<IntervalRevision>
}

/**
 * Intervals of consumption: derived from the ledger, none longer than an hour, each within one civil hour of its classroom
 * and under one price; and those that were written down by hand. They can be read like any documents.
 */
export class Intervals extends Reader<DeviceConsumption> {
  readonly #parts: IntervalParts
  readonly #deriver: IntervalDeriver
  readonly #documents: Repository<DeviceConsumption, IntervalFields>

  constructor(database: Database, entity: Entity<DeviceConsumption>, parts: IntervalParts) {
    super(database, entity)
    this.#parts = parts
    this.#documents = new Repository(database, entity as Entity<DeviceConsumption, IntervalFields>)
    this.#deriver = new IntervalDeriver({
      database,
      facts: parts.ledger.facts,
      readers: parts,
      prices: parts.prices,
      store: new IntervalStore(database, entity, parts.revisions),
    })
  }

  /**
   * Makes the derived intervals of the hours that reach into a time be what the ledger says: new ones are stored, changed
   * ones replaced, and those that are none any more removed. Can be called repeatedly, at any moment, and by any number of
   * processes; what is so already is not written. Manual intervals are left alone.
   * @throws ValidationError, DatabaseError `ARCHIVED` if entries of the time are archived, `TRANSACTION` inside one.
   */
  async derive(options: DeriveOptions): Promise<Derivation> {
    const { from, to, deviceId } = validateData(deriveSchema, options, 'The options')
    if (this.database.transactions.session !== undefined) {
      throw new DatabaseError('TRANSACTION', 'Intervals are derived in transactions of their own; call derive outside')
    }
    const sum = { switches: 0, created: 0, changed: 0, removed: 0 }
    for (const switchId of await this.#switchIds(deviceId)) {
      const done = await this.#deriver.derive(switchId, { fromMs: from.getTime(), toMs: to.getTime() })
      sum.switches += 1
      sum.created += done.created
      sum.changed += done.changed
      sum.removed += done.removed
    }
    return sum
  }

  /**
   * Stores an interval that somebody has written down.
   * @throws ValidationError, also where its numbers disagree, NotFoundError for an unknown device, ConflictError if the
   * switch has a manual interval with the same start.
   */
  async addManual(input: ManualIntervalInput): Promise<DeviceConsumption> {
    const given = validateData(manualIntervalSchema, input, 'The interval')
    const device = await this.#parts.devices.get(given.device_id)
    if (!device.switches.some(({ _id }) => _id.equals(given.switch_id))) {
      const message = 'is not a switch of the device'
      throw new ValidationError('The interval', [{ path: 'switch_id', message, received: 'ObjectId' }])
    }
    const { _id, classroom } = device
    if (classroom === undefined) {
      const message = 'is in no classroom that its energy could be accounted for'
      throw new ValidationError('The interval', [{ path: 'device_id', message, received: 'ObjectId' }])
    }
    const contexts = new PricingContexts(this.#parts, await this.#parts.prices.read())
    await contexts.loadClassrooms([classroom])
    await contexts.loadDevices([_id])
    return this.#documents.create(manualFields(given, classroom, contexts.of(_id, classroom)))
  }

  /** Removes a manual interval. @throws NotFoundError if there is none with this id. */
  async removeManual(id: ObjectId | string): Promise<void> {
    const _id = toObjectId(id)
    const isRemoved = await this.documents.for('removeManual').deleteOne({ _id, origin: 'manual' })
    if (!isRemoved) throw new NotFoundError('manual interval', `id ${_id.toHexString()}`)
  }

  /**
   * What a device has consumed, interval by interval, newest first.
   * @param device Its id, or the text that documents from before the library name it with.
   * @param page From 1.
   * @param limit 1,000 at most.
   */
  async getConsumptionHistory(device: ObjectId | string, page = 1, limit = 50): Promise<Page<DeviceConsumption>> {
    const { device: id } = validateData(historySchema, { device }, 'The history')
    // Documents from before the library may have the id as a text.
    const texts = id instanceof ObjectId ? [id.toHexString(), ...(typeof device === 'string' ? [device] : [])] : []
    const device_id = { $in: [...new Set([id, ...texts])] }
    return this.pageOfQuery({ device_id } as Filter<DeviceConsumption>, { page, limit, sort: { start_ts: -1 } })
  }

  /** The switches that the ledger knows; those of a device are the ones that it has, and those that it had at last. */
  async #switchIds(deviceId: ObjectId | undefined): Promise<ObjectId[]> {
    const { ledger, devices } = this.#parts
    const chains = await this.database.run(ledger.entity, 'intervals', (session) =>
      lastEntries(this.database.collectionOf<LedgerEntry>(ledger.entity), 'deviceId', inSession(session)),
    )
    if (deviceId === undefined) return chains.map(({ switchId }) => switchId)
    const device = await devices.findOne({ _id: deviceId }, { withDeleted: true })
    const own = new Set(device?.switches.map(({ _id }) => _id.toHexString()))
    return chains
      .filter((chain) => own.has(chain.switchId.toHexString()) || chain.deviceId.equals(deviceId))
      .map(({ switchId }) => switchId)
  }
}
