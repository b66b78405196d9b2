import type { ObjectId } from 'mongodb'
import {
  civilDayOf,
  civilHourStart,
  hourOfDay,
  nextCivilDay,
  nextCivilHour,
  startOfCivilDay,
} from '../../metering/index.js'

/** What energy costs and brings at some time. */
export interface SlotPrice {
  /** The version of the tariff. */
  readonly version: ObjectId
  /** Currency units per kWh, taxes included, at most six decimals. */
  readonly pricePerKwh: number
  readonly feedInPricePerKwh: number
  /** Grams of CO2 per kWh. */
  readonly carbonIntensityGPerKwh: number
}

/** The price from an instant on; undefined where no version is in force. */
export interface PriceSince {
  readonly fromMs: number
  readonly price: SlotPrice | undefined
}

/** The price at an instant and every change of it up to another one, epoch milliseconds, in order. */
export type PricesBetween = (fromMs: number, toMs: number) => readonly PriceSince[]

/** A civil day. */
export interface SlotDay {
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly startMs: number
  readonly endMs: number
}

/** A part of a civil hour under one price. */
export interface Slot {
  readonly startMs: number
  readonly endMs: number
  readonly day: SlotDay
  /** 0 to 23. */
  readonly hourOfDay: number
  readonly price: SlotPrice | undefined
}

/** A civil hour. */
export interface SlotHour {
  readonly startMs: number
  readonly endMs: number
  readonly slots: readonly [Slot, ...Slot[]]
}

const hourMs = 3_600_000
/** A year of hours, and some. */
const mostHours = 10_000
const mostDays = 1_000

/** The hours of a time zone, cut where the price of a tariff changes. What was reckoned once is kept. */
export class SlotCalendar {
  readonly timeZone: string
  readonly #pricesBetween: PricesBetween
  /** Those that begin or end in an hour of UTC. */
  readonly #hours = new Map<number, SlotHour[]>()
  /** By the start of the day. */
  readonly #priceCuts = new Map<number, { readonly endMs: number; readonly cuts: readonly number[] }>()
  /** By month. */
  readonly #versions = new Map<string, ObjectId[]>()
  #hour: SlotHour | undefined
  #day: SlotDay | undefined

  constructor(timeZone: string, pricesBetween: PricesBetween) {
    this.timeZone = timeZone
    this.#pricesBetween = pricesBetween
  }

  slotAt(atMs: number): Slot {
    const { slots } = this.hourAt(atMs)
    return slots.find(({ endMs }) => atMs < endMs) ?? slots[0]
  }

  hourAt(atMs: number): SlotHour {
    const last = this.#hour
    if (last !== undefined && atMs >= last.startMs && atMs < last.endMs) return last
    const key = Math.floor(atMs / hourMs)
    const hour =
      this.#hours.get(key)?.find(({ startMs, endMs }) => atMs >= startMs && atMs < endMs) ?? this.#add(key, atMs)
    this.#hour = hour
    return hour
  }

  /** The instants inside a stretch of time at which an hour starts. */
  hourCuts(fromMs: number, toMs: number): number[] {
    const cuts: number[] = []
    for (let cutMs = this.hourAt(fromMs).endMs; cutMs < toMs; cutMs = this.hourAt(cutMs).endMs) cuts.push(cutMs)
    return cuts
  }

  /** The hours of a day. */
  hoursOf({ startMs, endMs }: SlotDay): SlotHour[] {
    const hours: SlotHour[] = []
    for (let atMs = startMs; atMs < endMs; atMs = hours.at(-1)?.endMs ?? endMs) hours.push(this.hourAt(atMs))
    return hours
  }

  /** Where in a day a price changes within a civil hour, ms since the day's start. */
  priceCutsOf(day: SlotDay): readonly number[] {
    const known = this.#priceCuts.get(day.startMs)
    if (known !== undefined && known.endMs === day.endMs) return known.cuts
    const later = this.hoursOf(day).flatMap(({ slots }) => slots.slice(1))
    const cuts = later.map(({ startMs }) => startMs - day.startMs)
    if (this.#priceCuts.size >= mostDays) this.#priceCuts.clear()
    this.#priceCuts.set(day.startMs, { endMs: day.endMs, cuts })
    return cuts
  }

  /** The versions of the tariff that are in force at some time between two instants, in the order of their ids. */
  versionsBetween(fromMs: number, toMs: number): ObjectId[] {
    const key = `${fromMs} ${toMs}`
    const known = this.#versions.get(key)
    if (known !== undefined) return known
    const prices = this.#pricesBetween(fromMs, toMs).flatMap(({ price }) => price ?? [])
    const versions = sortedIds(prices.map(({ version }) => version))
    this.#versions.set(key, versions)
    return versions
  }

  dayAt(atMs: number): SlotDay {
    const last = this.#day
    if (last !== undefined && atMs >= last.startMs && atMs < last.endMs) return last
    return this.dayOf(civilDayOf(atMs, this.timeZone))
  }

  dayOf(date: string): SlotDay {
    const startMs = startOfCivilDay(date, this.timeZone)
    const endMs = startOfCivilDay(nextCivilDay(date, this.timeZone), this.timeZone)
    this.#day = { date, startMs, endMs }
    return this.#day
  }

  #add(key: number, atMs: number): SlotHour {
    if (this.#hours.size >= mostHours) this.#hours.clear()
    const startMs = civilHourStart(atMs, this.timeZone)
    const hour = this.#hourOf(startMs, nextCivilHour(atMs, this.timeZone))
    const known = this.#hours.get(key)
    if (known === undefined) this.#hours.set(key, [hour])
    else known.push(hour)
    return hour
  }

  #hourOf(startMs: number, endMs: number): SlotHour {
    const day = this.dayAt(startMs)
    const prices = this.#pricesBetween(startMs, endMs)
    const [first, ...later] = prices.length === 0 ? [{ fromMs: startMs, price: undefined }] : prices
    const slotFrom = (fromMs: number, toMs: number, price: SlotPrice | undefined): Slot => ({
      startMs: fromMs,
      endMs: toMs,
      day,
      hourOfDay: hourOfDay(startMs, this.timeZone),
      price,
    })
    const slots: [Slot, ...Slot[]] = [slotFrom(startMs, later[0]?.fromMs ?? endMs, first?.price)]
    for (const [at, { fromMs, price }] of later.entries())
      slots.push(slotFrom(fromMs, later[at + 1]?.fromMs ?? endMs, price))
    return { startMs, endMs, slots }
  }
}

/** Each id once, in order. */
export function sortedIds(ids: Iterable<ObjectId>): ObjectId[] {
  const byText = new Map([...ids].map((id) => [id.toHexString(), id]))
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, id]) => id)
}
