import { type AutoVolt, NotFoundError } from '@autovolt/data'
import { civilDay, instantOf, yesterday } from './civil-days.js'
import { roomNames } from './simulator/school-plan.js'
import { isPeakBand, peakPriceOf, timeOfUse } from './tariffs.js'

interface Change {
  /** The days that it was looked at for. */
  readonly from: string
  readonly to: string
  /** Currency units per kWh in the peak hours. */
  readonly peakPriceBefore: number | null
  readonly costBefore: number | null
}

/** Who it is in the audit log. A real service knows who is logged in. */
export const actor = 'you, on the page'

/** Changes the price of the peak hours from a day on, which may be long past, and tells what came of it. */
export class PriceChanges {
  readonly #volt: AutoVolt
  #last: Change | undefined

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  /** @throws ValidationError if it cannot be a price or a day; NotFoundError if no version holds on that day. */
  async setPeakPrice(from: string, pricePerKwh: number): Promise<void> {
    const startsAt = instantOf(from)
    const held = await this.#volt.tariffs.inForce(timeOfUse, startsAt)
    if (held === null) throw new NotFoundError('cost version', `day ${from}`)
    const { _id, __v, createdAt, updatedAt, bands = [], ...fields } = held
    const changed = bands.map((band) => (isPeakBand(band) ? { ...band, pricePerKwh } : band))
    await this.#keepEffect(from, () =>
      this.#volt.tariffs.set({ ...fields, startsAt, bands: changed, note: 'changed on the page' }, { actor }),
    )
  }

  /** Takes away what was changed from this day on. @throws NotFoundError if no version starts then. */
  async takeBack(from: string): Promise<void> {
    const version = await this.#volt.tariffs.findOne({ tariff: timeOfUse, startsAt: instantOf(from) })
    if (version === null) throw new NotFoundError('cost version', `start on ${from}`)
    await this.#keepEffect(from, () => this.#volt.tariffs.remove(version._id, { actor }))
  }

  /** What the last change has come to; null if there was none. */
  async view() {
    const last = this.#last
    if (last === undefined) return null
    const { peakPrice, cost, currency } = await this.#state(last.from, last.to)
    return { ...last, peakPriceAfter: peakPrice, costAfter: cost, currency }
  }

  async #keepEffect(from: string, change: () => Promise<unknown>): Promise<void> {
    const now = new Date()
    // Days that are over are the same before and after but for the price.
    const to = from <= yesterday(now) ? yesterday(now) : civilDay(now)
    const { peakPrice, cost } = await this.#state(from, to)
    await change()
    // The roll-ups follow by themselves in a few seconds; whoever has pressed the button wants to see it now.
    await this.#volt.rollUps.recost()
    this.#last = { from, to, peakPriceBefore: peakPrice, costBefore: cost }
  }

  async #state(from: string, to: string) {
    const { current } = await this.#volt.analytics.compareWithPrevious({ from, to, classrooms: [...roomNames] })
    const version = await this.#volt.tariffs.inForce(timeOfUse, instantOf(from))
    return { cost: current.totalCost, currency: current.currency, peakPrice: version && peakPriceOf(version) }
  }
}
