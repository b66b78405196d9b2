import type { ObjectId } from 'mongodb'
import type { SlotCalendar, SlotPrice } from '../tariffs/slot-calendar.js'
import type { Figures } from './figures.js'

interface Sum {
  energyMws: number
  productionMws: number
}

/** What a switch's day has used and given at each price. One product for each, and not for each slot: they are of big integers. */
export class EnergyByPrice {
  readonly #calendar: SlotCalendar
  readonly #startMs: number
  readonly #sums = new Map<SlotPrice | undefined, Sum>()

  /** @param startMs When the day starts. */
  constructor(calendar: SlotCalendar, startMs: number) {
    this.#calendar = calendar
    this.#startMs = startMs
  }

  /** @param at Where the slot begins, ms since the day's start. */
  add(at: number, energyMws: number, productionMws: number): void {
    const { price } = this.#calendar.slotAt(this.#startMs + at)
    const sum = this.#sums.get(price)
    if (sum === undefined) this.#sums.set(price, { energyMws, productionMws })
    else {
      sum.energyMws += energyMws
      sum.productionMws += productionMws
    }
  }

  /** @param versions Gets those of the tariff that there was a price of. */
  addTo(figures: Figures, versions: Set<ObjectId>): void {
    for (const [price, { energyMws, productionMws }] of this.#sums) {
      if (price === undefined) continue
      versions.add(price.version)
      figures.addPrice(energyMws, productionMws, price)
    }
  }
}
