import { type CostVersionInput, DEFAULT_TARIFF } from '../../energy/tariffs/cost-version.js'

/** Prices by tariff and instant. */
export class Rates {
  readonly #byTariff = new Map<string, { readonly fromMs: number; readonly pricePerKwh: number }[]>()

  constructor(versions: readonly CostVersionInput[]) {
    for (const { tariff = DEFAULT_TARIFF, startsAt, pricePerKwh } of versions) {
      const prices = this.#byTariff.get(tariff) ?? []
      this.#byTariff.set(tariff, prices)
      prices.push({ fromMs: new Date(startsAt).getTime(), pricePerKwh })
    }
    for (const prices of this.#byTariff.values()) prices.sort((a, b) => a.fromMs - b.fromMs)
  }

  has(tariff: string): boolean {
    return this.#byTariff.has(tariff)
  }

  /** Currency units per kWh; before the first version its price; 0 without any. */
  at(tariff: string, atMs: number): number {
    const prices = this.#of(tariff)
    return (prices.findLast(({ fromMs }) => fromMs <= atMs) ?? prices[0])?.pricePerKwh ?? 0
  }

  /** When prices of a tariff begin, epoch milliseconds. */
  startsOf(tariff: string): readonly number[] {
    return this.#of(tariff).map(({ fromMs }) => fromMs)
  }

  #of(tariff: string) {
    return this.#byTariff.get(tariff) ?? this.#byTariff.get(DEFAULT_TARIFF) ?? []
  }
}
