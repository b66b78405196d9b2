import { ObjectId } from 'mongodb'
import type { Fact } from '../../ledger/facts/fact.js'
import { switchFigures } from '../roll-ups/day-document.js'
import type { DaySpan, DayTally } from '../roll-ups/slot-tally.js'
import type { PricingContexts } from '../tariffs/pricing-context.js'
import { type EnergyNumbers, EnergyTotal } from './energy-total.js'

/** Daily key: what energy is added up by. */
export type DailyKey = 'classroom' | 'switch'

/** Day total: what a classroom or a switch comes to on a day. */
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
  readonly #span: DaySpan
  readonly #by: DailyKey
  readonly #contexts: PricingContexts
  readonly #totals = new Map<string, DayTotal>()

  constructor(span: DaySpan, by: DailyKey, contexts: PricingContexts) {
    this.#span = span
    this.#by = by
    this.#contexts = contexts
  }

  /** Those that have anything in them. */
  get rows(): readonly DayTotal[] {
    return [...this.#totals.values()].filter(({ total }) => !total.isEmpty)
  }

  /**
   * Adds what is known of a classroom's day.
   * @param switchId Of which switch it is; undefined where totals are those of classrooms.
   * @param cost `Money`.
   */
  add(day: string, classroom: ObjectId, switchId: ObjectId | undefined, numbers: EnergyNumbers, cost: bigint): void {
    this.#of(day, classroom, switchId)?.add(numbers, cost)
  }

  addTallies(tallies: Iterable<DayTally>): void {
    for (const { classroom, day, switches } of tallies) {
      const pricing = this.#contexts.pricingOf(classroom)
      for (const [id, one] of switches) {
        const { numbers, cost } = switchFigures(one, day, pricing)
        this.#of(day.date, classroom, ObjectId.createFromHexString(id))?.add(numbers, cost)
      }
    }
  }

  /** Says that the readings of a counter up to this one wait for later ones. */
  wait(switchId: ObjectId, { classroom, atMs }: Fact): void {
    const { date } = this.#contexts.calendarOf(classroom).dayAt(atMs)
    this.#of(date, classroom, switchId)?.wait()
  }

  #of(day: string, classroom: ObjectId, switchId: ObjectId | undefined): EnergyTotal | undefined {
    if (day < this.#span.from || day > this.#span.to) return undefined
    const key = this.#by === 'switch' && switchId !== undefined ? switchId : classroom
    const currency = this.#contexts.currencyOf(classroom)
    const id = `${day} ${key.toHexString()} ${currency}`
    const row = this.#totals.get(id) ?? { day, key, currency, total: new EnergyTotal() }
    this.#totals.set(id, row)
    return row.total
  }
}
