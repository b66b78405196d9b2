import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Reader } from '../../core/repository/reader.js'
import { type Tariff, tariffOf } from '../../metering/index.js'
import { type CostVersion, DEFAULT_TARIFF } from './cost-version.js'
import type { PowerSettings } from './power-settings.js'
import { SlotCalendar, type SlotPrice } from './slot-calendar.js'

/** Where energy is used: by which tariff it costs, and in which IANA zone its bands are. */
export interface PricedClassroom {
  readonly tariff: string
  readonly timeZone: string
}

/** Prices: what energy costs. */
export interface Prices {
  /** Currency units per kWh at an instant, epoch milliseconds; 0 where nothing is known. */
  at(place: PricedClassroom, instantMs: number): number
}

/** What is known of a tariff. */
interface KnownTariff {
  readonly currency: string
  readonly tariff: Tariff<CostVersion>
}

/** The versions of all tariffs as they were when it was read, and calendars cut by them. */
export class PriceBook {
  /** Identifies this state of the versions. */
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

  /** Currency units per kWh at an instant, epoch milliseconds; undefined for a tariff without versions. */
  priceAt({ tariff, timeZone }: PricedClassroom, instantMs: number): number | undefined {
    const known = this.#tariffs.get(tariff)
    return known && (known.tariff.priceAt(instantMs, timeZone)?.pricePerKwh ?? 0)
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

/** How old the prices may be that incoming entries are given. */
const maximumAgeMs = 10_000

/** Reads the price book, anew only where something has changed. */
export class PriceBookReader {
  readonly #database: Database
  readonly #versions: EntityCollection<CostVersion>
  readonly #powerSettings: Reader<PowerSettings>
  #book: PriceBook | undefined
  #recent: { readonly prices: Prices; readonly readMs: number } | undefined

  constructor(database: Database, entity: Entity<CostVersion>, powerSettings: Reader<PowerSettings>) {
    this.#database = database
    this.#versions = database.of(entity).for('price book')
    this.#powerSettings = powerSettings
  }

  /**
   * The prices as they were within the last ten seconds. As long as the tariff `default` has no versions, its price is that of
   * the power settings.
   */
  async prices(): Promise<Prices> {
    const readMs = this.#database.clock.now().getTime()
    if (this.#recent !== undefined && readMs - this.#recent.readMs < maximumAgeMs) return this.#recent.prices
    const book = await this.read()
    const settings =
      book.currencyOf(DEFAULT_TARIFF) === null ? await this.#powerSettings.findOne({ name: 'default' }) : null
    const defaultPrice = settings?.electricityPrice ?? 0
    const prices: Prices = {
      at: (place, instantMs) => book.priceAt(place, instantMs) ?? (place.tariff === DEFAULT_TARIFF ? defaultPrice : 0),
    }
    this.#recent = { prices, readMs }
    return prices
  }

  /** The prices as they are now; in a transaction, as they are in it. */
  async read(): Promise<PriceBook> {
    let book = this.#book
    for (let state = await this.#state(); book?.state !== state; state = await this.#state()) {
      book = new PriceBook(state, await this.#versions.find({}))
    }
    this.#book = book
    return book
  }

  async #state(): Promise<string> {
    const sums = {
      _id: null,
      count: { $sum: 1 },
      writes: { $sum: '$__v' },
      newest: { $max: '$_id' },
      // The first three may come again after a transaction that was aborted.
      changedAt: { $max: '$updatedAt' },
    }
    return JSON.stringify(await this.#versions.aggregate([{ $group: sums }]))
  }
}

function pricesOf(tariff: Tariff<CostVersion> | undefined, timeZone: string) {
  if (tariff === undefined) return () => []
  // One object for each price: energy of the same price is recognised by it.
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
