import type { LedgerEntry } from '../ledger/entry/entry.js'
import {
  type Confidence,
  confidence,
  costOf,
  type EnergyStretch,
  kwhFromMws,
  moneyOf,
  NO_MONEY,
  type QualitySeconds,
  qualityScore,
  roundMoney,
  sumMoney,
} from '../metering/index.js'

type Adjustment = NonNullable<LedgerEntry['adjustment']>

/** What some stretches of energy come to. */
export interface EnergyFigures extends QualitySeconds {
  readonly energyKwh: number
  readonly productionKwh: number
  /** Currency units, rounded to the currency's digits. */
  readonly cost: number
  /** The measured share of the time, 0 to 100. */
  readonly qualityScore: number
  readonly confidence: Confidence
  /** Whether the last readings of a counter wait for later ones to decide about them: they add nothing yet. */
  readonly isPending: boolean
}

/** Adds stretches up; the same in whatever order they come. */
export class EnergyTotal {
  #consumedMws = 0
  #producedMws = 0
  #cost = NO_MONEY
  #isPending = false
  readonly #ms = { measured: 0, estimated: 0, missing: 0 }

  add(stretch: EnergyStretch, ratePerKwh: number): void {
    this.#consumedMws += stretch.consumedMws
    this.#producedMws += stretch.producedMws
    if (stretch.consumedMws !== 0) this.#cost = sumMoney([this.#cost, costOf(stretch.consumedMws, ratePerKwh)])
    this.#ms[stretch.quality] += stretch.toMs - stretch.fromMs
  }

  /** What somebody has added by hand, or taken away. */
  adjust({ energyWs, productionWs, cost }: Adjustment): void {
    this.#consumedMws += Math.round(energyWs * 1000)
    this.#producedMws += Math.round(productionWs * 1000)
    this.#cost = sumMoney([this.#cost, moneyOf(cost)])
  }

  /** Readings wait for later ones. */
  wait(): void {
    this.#isPending = true
  }

  /** @param currencyDigits The decimals that money is rounded to, once, here. */
  figures(currencyDigits: number): EnergyFigures {
    const seconds = {
      measuredSeconds: this.#ms.measured / 1000,
      estimatedSeconds: this.#ms.estimated / 1000,
      missingSeconds: this.#ms.missing / 1000,
    }
    const score = qualityScore(seconds)
    return {
      energyKwh: kwhFromMws(this.#consumedMws),
      productionKwh: kwhFromMws(this.#producedMws),
      cost: roundMoney(this.#cost, currencyDigits),
      qualityScore: score,
      confidence: confidence(score),
      isPending: this.#isPending,
      ...seconds,
    }
  }
}
