import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreUpdate } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { inSession } from '../../core/repository/in-session.js'
import type { Reader } from '../../core/repository/reader.js'
import { retryStale } from '../../core/retry-on-conflict.js'
import type { Classroom } from '../../devices/classroom.js'
import type { PricingContext, PricingContexts } from '../tariffs/pricing-context.js'
import type { Recosting, RecostingInput } from '../tariffs/recosting.js'
import type { DailyAggregate } from './daily-aggregate.js'
import { canBePriced } from './day-cuts.js'
import type { PricedDay } from './day-document.js'
import type { DeviceChains } from './from-ledger.js'
import type { RollUpRebuilder } from './rebuilder.js'
import { notPriced, repriced } from './repricing.js'
import { monthsOf } from './roll-up-batch.js'
import type { RollUpStore } from './roll-up-store.js'
import { orderMoved } from './tariff-moves.js'

export interface RecosterParts {
  readonly database: Database
  readonly classrooms: Reader<Classroom>
  readonly recostings: Entity<Recosting, RecostingInput>
  readonly daily: Entity<DailyAggregate>
  readonly store: RollUpStore
  readonly rebuilder: RollUpRebuilder
}

/** No transaction that began before a change of prices, and knows nothing of it, lives longer: see `transactionLifetimeLimitSeconds`. */
const settledAfterMs = 90_000
/** From the first instant of a civil day to its last: two days and some where it is visited twice, as in Alaska in 1867. */
const longestDayMs = 50 * 3_600_000
/** How far a worker that follows a killed one goes back. */
const devicesBetweenNotes = 20
const devicesAtOnce = 4

/** Recost result: what has become of the orders to compute again. */
export interface RecostResult {
  /** Daily documents whose cost changed. */
  readonly days: number
  /** Orders that are still to be looked at once more, a minute and a half after the change. */
  readonly settling: number
}

type ChainsOf = (deviceId: ObjectId) => Promise<DeviceChains | undefined>

/** Carries out the orders that changes of tariffs leave. Any number of workers may; one that is killed is gone on after. */
export class Recoster {
  readonly #parts: RecosterParts
  readonly #days: EntityCollection<DailyAggregate>
  readonly #recostings: EntityCollection<Recosting>

  constructor(parts: RecosterParts) {
    this.#parts = parts
    this.#days = parts.database.of(parts.daily).for('re-costing')
    this.#recostings = parts.database.of<Recosting>(parts.recostings).for('re-costing')
  }

  /** @param contextsNow Gives contexts with the tariffs as they are then, and all classrooms loaded. */
  async run(contextsNow: () => Promise<PricingContexts>): Promise<RecostResult> {
    const result = { days: 0, settling: 0 }
    await orderMoved(this.#parts)
    const orders = await this.#orders()
    if (orders.length === 0) return result
    // Read after the orders, so that it has what they are about.
    const contexts = await contextsNow()
    const chainsOf = this.#chainsOnce()
    for (const order of orders) {
      const isOld = this.#parts.database.clock.now().getTime() - order.createdAt.getTime() >= settledAfterMs
      if (order.state === 'settling' && !isOld) result.settling += 1
      else result.days += await this.#carryOut(order, isOld ? 'finished' : 'settling', contexts, chainsOf)
      if (order.state === 'pending' && !isOld) result.settling += 1
    }
    return result
  }

  #orders(): Promise<Recosting[]> {
    const { database, recostings } = this.#parts
    return database.run(recostings, 're-costing', (session) =>
      database
        .collectionOf<Recosting>(recostings)
        .find({ state: { $ne: 'finished' } }, { sort: { createdAt: 1, _id: 1 }, ...inSession(session) })
        .toArray(),
    ) as Promise<Recosting[]>
  }

  async #carryOut(
    order: Recosting,
    next: Recosting['state'],
    contexts: PricingContexts,
    chainsOf: ChainsOf,
  ): Promise<number> {
    let days = 0
    const devices = await this.#devicesAfter(order)
    for (let at = 0; at < devices.length; at += devicesBetweenNotes) {
      const some = devices.slice(at, at + devicesBetweenNotes)
      await contexts.loadDevices(some)
      await forEachConcurrently(some, devicesAtOnce, async (deviceId) => {
        const count = await this.#recost(order, deviceId, contexts, chainsOf)
        days += count
      })
      await this.#note(order, { $set: { through_device: some.at(-1) } })
    }
    await this.#note(order, { $set: { state: next }, $unset: { through_device: '' } })
    return days
  }

  async #recost(order: Recosting, deviceId: ObjectId, contexts: PricingContexts, chainsOf: ChainsOf): Promise<number> {
    return retryStale(this.#parts.database, async () => {
      const found = await this.#daysOf(order, deviceId)
      const [fitting, uncut] = parted(found, (day) => canBePriced(day, contextOf(day, contexts)))
      const changes = fitting.flatMap((day) => repriced(day, contextOf(day, contexts)) ?? [])
      const months = await monthsOf(this.#parts.store, contexts, changes)
      await this.#parts.store.write({ cursors: [], days: changes, months })
      const rebuilt = await this.#rebuild(deviceId, uncut, contexts, chainsOf)
      return changes.length + rebuilt
    })
  }

  /** Days in whose hours a price changes now where it did not, or the other way round, have to be cut anew. */
  async #rebuild(
    deviceId: ObjectId,
    uncut: readonly PricedDay[],
    contexts: PricingContexts,
    chainsOf: ChainsOf,
  ): Promise<number> {
    const [from, to] = [uncut[0]?.date_string, uncut.at(-1)?.date_string]
    if (from === undefined || to === undefined) return 0
    const device = await chainsOf(deviceId)
    if (device === undefined) return 0
    return (await this.#parts.rebuilder.rebuild(device, { from, to }, contexts)).days.length
  }

  /** Looks all chains up when it is first asked for those of a device. */
  #chainsOnce(): ChainsOf {
    let devices: Promise<Map<string, DeviceChains>> | undefined
    const read = async () =>
      new Map((await this.#parts.rebuilder.devices()).map((device) => [device.deviceId.toHexString(), device]))
    return async (deviceId) => {
      devices ??= read()
      return (await devices).get(deviceId.toHexString())
    }
  }

  #devicesAfter(order: Recosting): Promise<ObjectId[]> {
    const { through_device } = order
    const filter = { ...subjectOf(order), ...(through_device && { device_id: { $gt: through_device } }) }
    return this.#days.distinct('device_id', filter)
  }

  #daysOf(order: Recosting, deviceId: ObjectId): Promise<PricedDay[]> {
    const { from, until } = order
    const starts_at = { $gt: new Date(from.getTime() - longestDayMs), ...(until && { $lt: until }) }
    const filter = { ...subjectOf(order), device_id: deviceId, starts_at, ends_at: { $gt: from } }
    return this.#days.find<PricedDay>(filter, { projection: notPriced, sort: { starts_at: 1 }, batchSize: 1000 })
  }

  async #note({ _id }: Recosting, update: StoreUpdate<Recosting>): Promise<void> {
    await this.#recostings.updateOne({ _id }, update)
  }
}

/** Whose days an order is about. */
function subjectOf({ tariff, classroom }: Recosting) {
  return classroom === undefined ? { tariff } : { classroom }
}

function contextOf({ device_id, classroom }: PricedDay, contexts: PricingContexts): PricingContext {
  return contexts.of(device_id, classroom)
}

/** Those of which it holds, and the others. */
function parted<Item>(items: readonly Item[], holds: (item: Item) => boolean): readonly [Item[], Item[]] {
  const [some, others]: [Item[], Item[]] = [[], []]
  for (const item of items) (holds(item) ? some : others).push(item)
  return [some, others]
}
