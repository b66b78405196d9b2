import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { type Tariff, tariffOf } from '../../metering/index.js'
import type { CostVersion } from './cost-version.js'
import { SlotCalendar, type SlotPrice } from './slot-calendar.js'

/** What is known of a tariff. */
interface KnownTariff {
  readonly currency: string
  readonly tariff: Tariff<CostVersion>
}

/** The versions of all tariffs as they were when it was read, and calendars cut by them. */
export class PriceBook {
  /** Tells this state of the versions from any other. */
  readonly state: string
  readonly #tariffs = new Map<string, KnownTariff>()
  readonly #calendars = new Map<string, SlotCalendar>()

  constructor(state: string, versions: readonly CostVersion[]) {
    this.state = state
    const byTariff = new Map<string, CostVersion[]>()
    for (const version of versions) byTariff.set(version.tariff, [...(byTariff.get(version.tariff) ?? []), version])
    for (const [name, ofTariff] of byTariff) {
      const [first] = ofTariff
      if (first !== undefined) this.#tariffs.set(name, { currency: first.currency, tariff: tariffOf(ofTariff) })
    }
  }

  /** ISO 4217; null for a tariff without versions. */
  currencyOf(tariff: string): string | null {
    return this.#tariffs.get(tariff)?.currency ?? null
  }

  /** @throws RangeError if the zone is not known. */
  calendarOf(tariff: string, timeZone: string): SlotCalendar {
    const key = `${timeZone} ${tariff}`
    const known = this.#calendars.get(key)
    if (known !== undefined) return known
    const calendar = new SlotCalendar(timeZone, pricesOf(this.#tariffs.get(tariff)?.tariff, timeZone))
    this.#calendars.set(key, calendar)
    return calendar
  }
}

/** Reads the price book, anew only where something has changed. */
export class PriceBookReader {
  readonly #versions: EntityCollection<CostVersion>
  #book: PriceBook | undefined

  constructor(database: Database, entity: Entity<CostVersion>) {
    this.#versions = database.of(entity).for('price book')
  }

  async read(): Promise<PriceBook> {
    const state = await this.#state()
    if (this.#book?.state === state) return this.#book
    const versions = await this.#versions.find({})
    // Of what changes between the two queries the next call will know.
    this.#book = new PriceBook(state, versions)
    return this.#book
  }

  async #state(): Promise<string> {
    const sums = { _id: null, count: { $sum: 1 }, writes: { $sum: '$__v' }, newest: { $max: '$_id' } }
    const [found] = await this.#versions.aggregate<{ count: number; writes: number; newest: ObjectId }>([
      { $group: sums },
    ])
    return `${found?.count ?? 0} ${found?.writes ?? 0} ${found?.newest ?? ''}`
  }
}

function pricesOf(tariff: Tariff<CostVersion> | undefined, timeZone: string) {
  if (tariff === undefined) return () => []
  // One object for each price: what costs the same is told by it.
  const prices = new Map<string, SlotPrice>()
  const priceAt = (atMs: number): SlotPrice | undefined => {
    const found = tariff.priceAt(atMs, timeZone)
    if (found === undefined) return undefined
    const { version, pricePerKwh } = found
    const key = `${version._id.toHexString()} ${pricePerKwh}`
    const price = prices.get(key) ?? {
      version: version._id,
      pricePerKwh,
      feedInPricePerKwh: version.feedInPricePerKwh ?? 0,
      carbonIntensityGPerKwh: version.carbonIntensityGPerKwh ?? 0,
    }
    prices.set(key, price)
    return price
  }
  return (fromMs: number, toMs: number) =>
    [fromMs, ...tariff.priceCutsBetween(fromMs, toMs, timeZone)].map((at) => ({ fromMs: at, price: priceAt(at) }))
}
