import type { DecimalNumber } from '../../core/fields.js'
import {
  type Confidence,
  confidence,
  costOf,
  currencyDigits,
  kwhFromMws,
  type Money,
  qualityScore,
  roundMoney,
} from '../../metering/index.js'
import { exactOf, toDecimal } from '../exact-decimal.js'
import type { SlotPrice } from '../tariffs/slot-calendar.js'
import { SlotNumbers } from './slot-numbers.js'

/** Priced energy: what was used and given at one price, whole milliwatt-seconds. */
export interface PricedEnergy {
  /** What CO2 is computed from. */
  consumedMws: number
  /** What is paid for by the tariff. */
  boughtMws: number
  /** What the tariff pays for. */
  soldMws: number
}

/** Energy and what it comes to. Everything in it adds up exactly. */
export class Figures {
  readonly numbers = new SlotNumbers()
  /** `Money`. */
  cost = 0n
  earnings = 0n
  /** 3.6·10¹⁵ths of a gram. */
  carbon = 0n

  addPrice({ consumedMws, boughtMws, soldMws }: PricedEnergy, price: SlotPrice): void {
    if (consumedMws !== 0) this.carbon += costOf(consumedMws, price.carbonIntensityGPerKwh).numerator
    if (boughtMws !== 0) this.cost += costOf(boughtMws, price.pricePerKwh).numerator
    if (soldMws !== 0) this.earnings += costOf(soldMws, price.feedInPricePerKwh).numerator
  }

  add(other: Figures, sign: 1 | -1 = 1): void {
    this.numbers.add(other.numbers, sign)
    this.cost += BigInt(sign) * other.cost
    this.earnings += BigInt(sign) * other.earnings
    this.carbon += BigInt(sign) * other.carbon
  }

  get isEmpty(): boolean {
    return this.numbers.isEmpty && this.cost === 0n && this.earnings === 0n
  }
}

/** {@link Figures} in a document. */
export interface StoredTotals {
  readonly energy_mws: number
  readonly production_mws: number
  readonly on_ms: number
  readonly measured_ms: number
  readonly estimated_ms: number
  readonly missing_ms: number
  readonly cost_exact: DecimalNumber
  readonly earnings_exact: DecimalNumber
  readonly carbon_exact: DecimalNumber
}

export function storedTotals(figures: Figures): StoredTotals {
  const { numbers } = figures
  return {
    energy_mws: numbers.energyMws,
    production_mws: numbers.productionMws,
    on_ms: numbers.onMs,
    measured_ms: numbers.measuredMs,
    estimated_ms: numbers.estimatedMs,
    missing_ms: numbers.missingMs,
    ...storedMoney(figures),
  }
}

export function storedMoney({ cost, earnings, carbon }: Figures) {
  return { cost_exact: toDecimal(cost), earnings_exact: toDecimal(earnings), carbon_exact: toDecimal(carbon) }
}

export function figuresOf(stored: StoredTotals): Figures {
  const figures = new Figures()
  const { numbers } = figures
  numbers.energyMws = stored.energy_mws
  numbers.productionMws = stored.production_mws
  numbers.onMs = stored.on_ms
  numbers.measuredMs = stored.measured_ms
  numbers.estimatedMs = stored.estimated_ms
  numbers.missingMs = stored.missing_ms
  figures.cost = exactOf(stored.cost_exact)
  figures.earnings = exactOf(stored.earnings_exact)
  figures.carbon = exactOf(stored.carbon_exact)
  return figures
}

/** Shown totals: what of a document is made to be read as it is. */
export interface ShownTotals {
  readonly total_kwh: number
  readonly production_kwh: number
  readonly on_time_sec: number
  readonly cost_at_calc_time: number
  readonly cost_per_kwh_used: number | null
  readonly quality_score: number
  readonly confidence: Confidence
}

export function shownTotals({ numbers, cost }: Figures, currency: string | null): ShownTotals {
  const { energyMws, productionMws, onMs, measuredMs, estimatedMs, missingMs } = numbers
  const score = qualityScore({
    measuredSeconds: measuredMs / 1000,
    estimatedSeconds: estimatedMs / 1000,
    missingSeconds: missingMs / 1000,
  })
  return {
    total_kwh: kwhFromMws(energyMws),
    production_kwh: kwhFromMws(productionMws),
    on_time_sec: onMs / 1000,
    cost_at_calc_time: shownCost(cost, currency),
    cost_per_kwh_used: meanPrice(cost, energyMws, currency),
    quality_score: score,
    confidence: confidence(score),
  }
}

/** Rounded half-even to the currency's digits. */
export function shownCost(numerator: bigint, currency: string | null): number {
  return roundMoney({ numerator } satisfies Money, currency === null ? 2 : currencyDigits(currency))
}

/** Currency units per kWh, to six decimals. */
function meanPrice(cost: bigint, energyMws: number, currency: string | null): number | null {
  if (currency === null || energyMws <= 0) return null
  return Number(cost / BigInt(energyMws)) / 1e6
}
