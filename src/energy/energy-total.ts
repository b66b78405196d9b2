import {
  type Confidence,
  confidence,
  costOf,
  type EnergyStretch,
  kwhFromMws,
  type QualitySeconds,
  qualityScore,
  roundMoney,
  sumMoney,
} from '../metering/index.js'

/** What some stretches of energy come to. */
export interface EnergyFigures extends QualitySeconds {
  readonly energyKwh: number
  readonly productionKwh: number
  /** Currency units, rounded to the currency's digits. */
  readonly cost: number
  /** The measured share of the time, 0 to 100. */
  readonly qualityScore: number
  readonly confidence: Confidence
}

/** Adds stretches up; the same in whatever order they come. */
export class EnergyTotal {
  #producedMws = 0
  readonly #consumedMwsByRate = new Map<number, number>()
  readonly #ms = { measured: 0, estimated: 0, missing: 0 }

  add(stretch: EnergyStretch, ratePerKwh: number): void {
    this.#producedMws += stretch.producedMws
    this.#consumedMwsByRate.set(ratePerKwh, (this.#consumedMwsByRate.get(ratePerKwh) ?? 0) + stretch.consumedMws)
    this.#ms[stretch.quality] += stretch.toMs - stretch.fromMs
  }

  /** @param currencyDigits The decimals that money is rounded to, once, here. */
  figures(currencyDigits: number): EnergyFigures {
    const consumed = [...this.#consumedMwsByRate]
    const seconds = {
      measuredSeconds: this.#ms.measured / 1000,
      estimatedSeconds: this.#ms.estimated / 1000,
      missingSeconds: this.#ms.missing / 1000,
    }
    const score = qualityScore(seconds)
    return {
      energyKwh: kwhFromMws(consumed.reduce((sum, [, mws]) => sum + mws, 0)),
      productionKwh: kwhFromMws(this.#producedMws),
      cost: roundMoney(sumMoney(consumed.map(([rate, mws]) => costOf(mws, rate))), currencyDigits),
      qualityScore: score,
      confidence: confidence(score),
      ...seconds,
    }
  }
}
