import {
  type Confidence,
  confidence,
  currencyDigits,
  kwhFromMws,
  type QualitySeconds,
  qualityScore,
  roundMoney,
} from '../../metering/index.js'
import type { SlotNumbers } from '../roll-ups/slot-numbers.js'

/** Whole milliwatt-seconds and whole milliseconds. */
export type EnergyNumbers = Pick<SlotNumbers, (typeof names)[number]>

const names = ['energyMws', 'productionMws', 'measuredMs', 'estimatedMs', 'missingMs'] as const

/** Energy figures: what some stretches of energy come to. */
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

/** Adds energy and its cost up; the same in whatever order they come. */
export class EnergyTotal {
  readonly #numbers = { energyMws: 0, productionMws: 0, measuredMs: 0, estimatedMs: 0, missingMs: 0 }
  /** `Money`. */
  #cost = 0n
  #isPending = false

  /** @param cost `Money`. */
  add(numbers: EnergyNumbers, cost: bigint): void {
    for (const name of names) this.#numbers[name] += numbers[name]
    this.#cost += cost
  }

  /** Readings wait for later ones. */
  wait(): void {
    this.#isPending = true
  }

  get isEmpty(): boolean {
    return names.every((name) => this.#numbers[name] === 0) && this.#cost === 0n && !this.#isPending
  }

  /** @param currency The one whose decimals money is rounded to, once, here; to two where there is none. */
  figures(currency: string | null): EnergyFigures {
    const { energyMws, productionMws, measuredMs, estimatedMs, missingMs } = this.#numbers
    const seconds = {
      measuredSeconds: measuredMs / 1000,
      estimatedSeconds: estimatedMs / 1000,
      missingSeconds: missingMs / 1000,
    }
    const score = qualityScore(seconds)
    return {
      energyKwh: kwhFromMws(energyMws),
      productionKwh: kwhFromMws(productionMws),
      cost: roundMoney({ numerator: this.#cost }, currency === null ? 2 : currencyDigits(currency)),
      qualityScore: score,
      confidence: confidence(score),
      isPending: this.#isPending,
      ...seconds,
    }
  }
}
