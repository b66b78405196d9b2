import type { ObjectId } from 'mongodb'
import { civilHourStart, nextCivilHour, type Tariff, tariffOf } from '../../metering/index.js'
import type { CostVersion } from '../cost-version.js'

/** What energy costs at some time. */
export interface IntervalPrice {
  readonly version: ObjectId
  /** Currency units per kWh, taxes included. */
  readonly pricePerKwh: number
  /** ISO 4217. */
  readonly currency: string
}

/** A part of a civil hour under one price; instants are epoch milliseconds. */
export interface IntervalSlot {
  readonly startMs: number
  readonly endMs: number
  /** Undefined where no version of the tariff is in force. */
  readonly price: IntervalPrice | undefined
}

/** The civil hours of a time zone, cut where the price of a tariff changes. */
export class IntervalCalendar {
  readonly #timeZone: string
  readonly #tariff: Tariff<CostVersion>
  #last: IntervalSlot | undefined

  /** @param versions Of one tariff. */
  constructor(timeZone: string, versions: readonly CostVersion[]) {
    this.#timeZone = timeZone
    this.#tariff = tariffOf(versions)
  }

  /** The instants inside a stretch of time at which an hour starts. */
  hourCuts(fromMs: number, toMs: number): number[] {
    const cuts: number[] = []
    for (let cutMs = this.#nextHour(fromMs); cutMs < toMs; cutMs = this.#nextHour(cutMs)) cuts.push(cutMs)
    return cuts
  }

  /** The instants inside a stretch of time at which the price changes. */
  priceCuts(fromMs: number, toMs: number): number[] {
    return this.#tariff.priceCutsBetween(fromMs, toMs, this.#timeZone)
  }

  slotAt(atMs: number): IntervalSlot {
    const last = this.#last
    if (last !== undefined && atMs >= last.startMs && atMs < last.endMs) return last
    const hourMs = civilHourStart(atMs, this.#timeZone)
    const endMs = this.#nextHour(atMs)
    const cuts = this.priceCuts(hourMs, endMs)
    const startMs = cuts.findLast((cutMs) => cutMs <= atMs) ?? hourMs
    this.#last = {
      startMs,
      endMs: cuts.find((cutMs) => cutMs > atMs) ?? endMs,
      price: this.#priceAt(startMs),
    }
    return this.#last
  }

  #nextHour(atMs: number): number {
    return nextCivilHour(atMs, this.#timeZone)
  }

  #priceAt(atMs: number): IntervalPrice | undefined {
    const found = this.#tariff.priceAt(atMs, this.#timeZone)
    if (found === undefined) return undefined
    const { version, pricePerKwh } = found
    return { version: version._id, pricePerKwh, currency: version.currency }
  }
}
