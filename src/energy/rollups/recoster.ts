import type { Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { inSession, type Reader } from '../../core/repository/reader.js'
import { retryStale } from '../../core/retry-on-conflict.js'
import { sideBySide } from '../../core/side-by-side.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Place, Places } from '../places.js'
import type { Recosting, RecostingInput } from '../tariffs/recosting.js'
import { monthsOf } from './batch.js'
import type { DailyAggregate } from './daily-aggregate.js'
import type { PricedDay } from './day-document.js'
import type { DeviceChains } from './from-ledger.js'
import type { RollUpRebuilder } from './rebuilder.js'
import { hasItsCuts, repriced } from './repricing.js'
import type { RollUpStore } from './rollup-store.js'
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
const longestDayMs = 26 * 3_600_000
/** How far a worker that follows a killed one goes back. */
const devicesBetweenNotes = 20
const devicesAtOnce = 4
/** What a day's price does not depend on is most of it. */
const notPriced = Object.fromEntries(
  ['on_ms', 'measured_ms', 'estimated_ms', 'missing_ms'].map((name) => [`switch_breakdown.slots.${name}`, 0]),
)

/** What has become of the orders to reckon again. */
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

  constructor(parts: RecosterParts) {
    this.#parts = parts
  }

  /** @param placesNow Gives places with the tariffs as they are then, and all classrooms loaded. */
  async run(placesNow: () => Promise<Places>): Promise<RecostResult> {
    const result = { days: 0, settling: 0 }
    await orderMoved(this.#parts)
    const orders = await this.#orders()
    if (orders.length === 0) return result
    // Read after the orders, so that it has what they are about.
    const places = await placesNow()
    const chainsOf = this.#chainsOnce()
    for (const order of orders) {
      const isOld = this.#parts.database.clock.now().getTime() - order.createdAt.getTime() >= settledAfterMs
      if (order.state === 'settling' && !isOld) result.settling += 1
      else result.days += await this.#carryOut(order, isOld ? 'finished' : 'settling', places, chainsOf)
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

  async #carryOut(order: Recosting, next: Recosting['state'], places: Places, chainsOf: ChainsOf): Promise<number> {
    let days = 0
    const devices = await this.#devicesAfter(order)
    for (let at = 0; at < devices.length; at += devicesBetweenNotes) {
      const some = devices.slice(at, at + devicesBetweenNotes)
      await places.loadDevices(some)
      await sideBySide(some, devicesAtOnce, async (deviceId) => {
        const count = await this.#recost(order, deviceId, places, chainsOf)
        days += count
      })
      await this.#note(order, { $set: { through_device: some.at(-1) } })
    }
    await this.#note(order, { $set: { state: next }, $unset: { through_device: '' } })
    return days
  }

  async #recost(order: Recosting, deviceId: ObjectId, places: Places, chainsOf: ChainsOf): Promise<number> {
    return retryStale(this.#parts.database, async () => {
      const found = await this.#daysOf(order, deviceId)
      const [fitting, uncut] = parted(found, (day) => hasItsCuts(day, placeOf(day, places)))
      const changes = fitting.flatMap((day) => repriced(day, placeOf(day, places)) ?? [])
      const months = await monthsOf(this.#parts.store, places, changes)
      await this.#parts.store.write({ cursors: [], days: changes, months })
      const rebuilt = await this.#rebuild(deviceId, uncut, places, chainsOf)
      return changes.length + rebuilt
    })
  }

  /** Days in whose hours a price changes now where it did not, or the other way round, have to be cut anew. */
  async #rebuild(deviceId: ObjectId, uncut: readonly PricedDay[], places: Places, chainsOf: ChainsOf): Promise<number> {
    const [from, to] = [uncut[0]?.date_string, uncut.at(-1)?.date_string]
    if (from === undefined || to === undefined) return 0
    const device = await chainsOf(deviceId)
    if (device === undefined) return 0
    return (await this.#parts.rebuilder.rebuild(device, { from, to }, places)).days.length
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
    const { database, daily } = this.#parts
    const { through_device } = order
    const filter = { ...subjectOf(order), ...(through_device && { device_id: { $gt: through_device } }) }
    return database.run(daily, 're-costing', (session) =>
      database.collectionOf<DailyAggregate>(daily).distinct('device_id', filter as never, inSession(session)),
    )
  }

  #daysOf(order: Recosting, deviceId: ObjectId): Promise<PricedDay[]> {
    const { database, daily } = this.#parts
    const { from, until } = order
    const starts_at = { $gt: new Date(from.getTime() - longestDayMs), ...(until && { $lt: until }) }
    const filter = { ...subjectOf(order), device_id: deviceId, starts_at, ends_at: { $gt: from } }
    return database.run(daily, 're-costing', (session) =>
      database
        .collectionOf<DailyAggregate>(daily)
        .find(filter as never, {
          projection: notPriced,
          sort: { starts_at: 1 },
          batchSize: 1000,
          ...inSession(session),
        })
        .toArray(),
    ) as Promise<PricedDay[]>
  }

  async #note({ _id }: Recosting, update: Document): Promise<void> {
    const { database, recostings } = this.#parts
    const now = database.clock.now()
    const whole = { ...update, $set: { ...(update.$set as Document), updatedAt: now }, $inc: { __v: 1 } }
    await database.run(recostings, 're-costing', (session) =>
      database.collectionOf<Recosting>(recostings).updateOne({ _id }, whole as never, inSession(session)),
    )
  }
}

/** Whose days an order is about. */
function subjectOf({ tariff, classroom }: Recosting) {
  return classroom === undefined ? { tariff } : { classroom }
}

function placeOf({ device_id, classroom }: PricedDay, places: Places): Place {
  return places.of(device_id, classroom)
}

/** Those of which it holds, and the others. */
function parted<Item>(items: readonly Item[], holds: (item: Item) => boolean): readonly [Item[], Item[]] {
  const [some, others]: [Item[], Item[]] = [[], []]
  for (const item of items) (holds(item) ? some : others).push(item)
  return [some, others]
}
