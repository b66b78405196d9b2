import type { ObjectId } from 'mongodb'
import { EnergyTotal } from './energy-total.js'

/** What a classroom or a switch comes to on a day. */
export interface DayTotal {
  /** The civil day, `YYYY-MM-DD`. */
  readonly day: string
  readonly key: ObjectId
  /** ISO 4217; null where nothing has a price. */
  readonly currency: string | null
  readonly total: EnergyTotal
}

/** Totals by day, key and currency, for the days that are asked for. */
export class DailyTotals {
  readonly #from: string
  readonly #to: string
  readonly #totals = new Map<string, DayTotal>()

  constructor({ from, to }: { readonly from: string; readonly to: string }) {
    this.#from = from
    this.#to = to
  }

  get rows(): readonly DayTotal[] {
    return [...this.#totals.values()]
  }

  /** The total to add to; undefined for a day that is not asked for. */
  of(day: string, key: ObjectId, currency: string | null): EnergyTotal | undefined {
    if (day < this.#from || day > this.#to) return undefined
    const id = `${day} ${key.toHexString()} ${currency}`
    const row = this.#totals.get(id) ?? { day, key, currency, total: new EnergyTotal() }
    this.#totals.set(id, row)
    return row.total
  }
}
