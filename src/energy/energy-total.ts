import type { LedgerEntry } from '../ledger/entry/entry.js'
import {
  type Confidence,
  confidence,
  costOf,
  currencyDigits,
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

  add(stretch: EnergyStretch, pricePerKwh: number): void {
    this.#consumedMws += stretch.consumedMws
    this.#producedMws += stretch.producedMws
    if (stretch.consumedMws !== 0) this.#cost = sumMoney([this.#cost, costOf(stretch.consumedMws, pricePerKwh)])
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

  /** @param currency The one whose decimals money is rounded to, once, here; to two where there is none. */
  figures(currency: string | null): EnergyFigures {
    const seconds = {
      measuredSeconds: this.#ms.measured / 1000,
      estimatedSeconds: this.#ms.estimated / 1000,
      missingSeconds: this.#ms.missing / 1000,
    }
    const score = qualityScore(seconds)
    return {
      energyKwh: kwhFromMws(this.#consumedMws),
      productionKwh: kwhFromMws(this.#producedMws),
      cost: roundMoney(this.#cost, currency === null ? 2 : currencyDigits(currency)),
      qualityScore: score,
      confidence: confidence(score),
      isPending: this.#isPending,
      ...seconds,
    }
  }
}
