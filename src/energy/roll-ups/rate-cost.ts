import { costOf } from '../../metering/index.js'

/**
 * The cost of energy at the rates of its entries, which counts where a tariff has no version. It becomes money when it is
 * asked for: that takes big integers.
 */
export class RateCost {
  readonly #mwsByRate = new Map<number, number>()
  /** `Money`; undefined where it is not known. */
  #known: bigint | undefined

  /** @param known What there is already; undefined where that is not known. */
  constructor(known: bigint | undefined = 0n) {
    this.#known = known
  }

  /** @param energyMws Whole milliwatt-seconds; negative where they are taken away. */
  add(energyMws: number, ratePerKwh: number): void {
    if (energyMws !== 0) this.#mwsByRate.set(ratePerKwh, (this.#mwsByRate.get(ratePerKwh) ?? 0) + energyMws)
  }

  addAll(other: RateCost): void {
    for (const [rate, energyMws] of other.#mwsByRate) this.add(energyMws, rate)
    this.#known = this.#known === undefined || other.#known === undefined ? undefined : this.#known + other.#known
  }

  get isEmpty(): boolean {
    for (const energyMws of this.#mwsByRate.values()) if (energyMws !== 0) return false
    return this.#known === 0n
  }

  /** `Money`; undefined where a part of it is not known. */
  get numerator(): bigint | undefined {
    if (this.#known === undefined) return undefined
    let sum = this.#known
    for (const [rate, energyMws] of this.#mwsByRate) sum += costOf(energyMws, rate).numerator
    return sum
  }
}
