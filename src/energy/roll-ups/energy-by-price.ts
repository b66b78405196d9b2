import type { ObjectId } from 'mongodb'
import type { SlotCalendar, SlotPrice } from '../tariffs/slot-calendar.js'
import type { Figures, PricedEnergy } from './figures.js'
import type { SlotNumbers } from './slot-numbers.js'

/** The part of a slot that its price is computed from. */
export type PricedNumbers = Pick<SlotNumbers, 'energyMws' | 'productionMws' | 'adjustedMws' | 'adjustedProductionMws'>

/** What a switch's day has used and given at each price. One product for each, and not for each slot: they are of big integers. */
export class EnergyByPrice {
  readonly #calendar: SlotCalendar
  readonly #startMs: number
  readonly #sums = new Map<SlotPrice | undefined, PricedEnergy>()

  /** @param startMs When the day starts. */
  constructor(calendar: SlotCalendar, startMs: number) {
    this.#calendar = calendar
    this.#startMs = startMs
  }

  /** @param at Where the slot begins, ms since the day's start. */
  add(at: number, { energyMws, productionMws, adjustedMws, adjustedProductionMws }: PricedNumbers): void {
    const { price } = this.#calendar.slotAt(this.#startMs + at)
    const sum = this.#sums.get(price) ?? { consumedMws: 0, boughtMws: 0, soldMws: 0 }
    this.#sums.set(price, sum)
    sum.consumedMws += energyMws
    // An adjustment brings its own cost.
    sum.boughtMws += energyMws - adjustedMws
    sum.soldMws += productionMws - adjustedProductionMws
  }

  /** @param versions Gets those of the tariff that there was a price of. */
  addTo(figures: Figures, versions: Set<ObjectId>): void {
    for (const [price, energy] of this.#sums) {
      if (price === undefined) continue
      versions.add(price.version)
      figures.addPrice(energy, price)
    }
  }
}
