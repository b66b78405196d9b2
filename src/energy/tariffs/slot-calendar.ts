import { hash } from 'node:crypto'
import type { ObjectId } from 'mongodb'
import {
  civilDayOf,
  civilHourStart,
  civilSpans,
  daysOfCivilMonth,
  endOfCivilDay,
  hourOfDay,
  nextCivilHour,
  startOfCivilDay,
} from '../../metering/index.js'

/** Slot price: what energy costs and brings at some time. */
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
  /** Its first instant. */
  readonly startMs: number
  /** The instant after its last. What lies between may be another day's, where clocks are put back across midnight. */
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

/** The hours of a time zone, cut where the price of a tariff changes. What was computed once is kept. */
export class SlotCalendar {
  readonly timeZone: string
  readonly #pricesBetween: PricesBetween
  /** Those that begin or end in an hour of UTC. */
  readonly #hours = new Map<number, SlotHour[]>()
  /** By the start of the day. */
  readonly #priceCuts = new Map<number, { readonly endMs: number; readonly cuts: readonly number[] }>()
  /** By date. */
  readonly #days = new Map<string, SlotDay>()
  readonly #digests = new Map<string, string>()
  /** By month. */
  readonly #versions = new Map<string, ObjectId[]>()
  #hour: SlotHour | undefined

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

  /** The hours of a day, in order. */
  hoursOf({ date, startMs, endMs }: SlotDay): SlotHour[] {
    const hours: SlotHour[] = []
    for (let atMs = startMs; atMs < endMs; ) {
      const hour = this.hourAt(atMs)
      if (hour.slots[0].day.date === date) hours.push(hour)
      atMs = hour.endMs
    }
    return hours
  }

  /** Where in a day a price changes within a civil hour, ms since the day's start. */
  priceCutsOf(day: SlotDay): readonly number[] {
    const known = this.#priceCuts.get(day.startMs)
    if (known !== undefined && known.endMs === day.endMs) return known.cuts
    const cuts = this.hoursOf(day).flatMap(({ slots }) => slots.slice(1).map(({ startMs }) => startMs - day.startMs))
    if (this.#priceCuts.size >= mostDays) this.#priceCuts.clear()
    this.#priceCuts.set(day.startMs, { endMs: day.endMs, cuts })
    return cuts
  }

  /**
   * Identifies how a civil day is divided, and what energy costs in it: its zone, its bounds, its hours and their
   * prices. 16 hexadecimal digits.
   */
  digestOf(date: string): string {
    const known = this.#digests.get(date)
    if (known !== undefined) return known
    const day = this.dayOf(date)
    const slots = this.hoursOf(day).flatMap((hour) => hour.slots)
    const parts = slots.map(({ startMs, price }) => [startMs - day.startMs, price?.pricePerKwh ?? null])
    const text = JSON.stringify([this.timeZone, date, day.startMs, day.endMs, parts])
    const digest = hash('sha256', text, 'hex').slice(0, 16)
    if (this.#digests.size >= mostDays) this.#digests.clear()
    this.#digests.set(date, digest)
    return digest
  }

  /** The versions of the tariff that are in force at some time of a civil month, `YYYY-MM`, in the order of their ids. */
  versionsOf(month: string): ObjectId[] {
    const known = this.#versions.get(month)
    if (known !== undefined) return known
    const spans = civilSpans(daysOfCivilMonth(month), this.timeZone)
    const prices = spans.flatMap(({ fromMs, toMs }) => this.#pricesBetween(fromMs, toMs))
    const versions = sortedIds(prices.flatMap(({ price }) => price?.version ?? []))
    this.#versions.set(month, versions)
    return versions
  }

  dayAt(atMs: number): SlotDay {
    return this.dayOf(civilDayOf(atMs, this.timeZone))
  }

  dayOf(date: string): SlotDay {
    return this.#days.get(date) ?? this.#addDay(date)
  }

  #addDay(date: string): SlotDay {
    const day = { date, startMs: startOfCivilDay(date, this.timeZone), endMs: endOfCivilDay(date, this.timeZone) }
    if (this.#days.size >= mostDays) this.#days.clear()
    this.#days.set(date, day)
    return day
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
