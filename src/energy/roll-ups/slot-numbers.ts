import type { EnergyStretch } from '../../metering/index.js'

/** What is in a slot: whole milliwatt-seconds and whole milliseconds. A change of it can be negative. */
export class SlotNumbers {
  energyMws = 0
  productionMws = 0
  /** As much of the energy as was added by hand, or taken away: no meter reported it, and its cost is not the tariff's. */
  adjustedMws = 0
  adjustedProductionMws = 0
  onMs = 0
  measuredMs = 0
  estimatedMs = 0
  missingMs = 0

  /** @param sign -1 takes away what was added before. */
  addStretch({ fromMs, toMs, consumedMws, producedMws, quality }: EnergyStretch, sign: 1 | -1): void {
    const durationMs = sign * (toMs - fromMs)
    this.energyMws += sign * consumedMws
    this.productionMws += sign * producedMws
    if (consumedMws !== 0 || producedMws !== 0) this.onMs += durationMs
    if (quality === 'measured') this.measuredMs += durationMs
    else if (quality === 'estimated') this.estimatedMs += durationMs
    else this.missingMs += durationMs
  }

  /** What somebody has added by hand, or taken away. */
  adjust(energyMws: number, productionMws: number): void {
    this.energyMws += energyMws
    this.productionMws += productionMws
    this.adjustedMws += energyMws
    this.adjustedProductionMws += productionMws
  }

  add(other: SlotNumbers, sign: 1 | -1 = 1): void {
    this.energyMws += sign * other.energyMws
    this.productionMws += sign * other.productionMws
    this.adjustedMws += sign * other.adjustedMws
    this.adjustedProductionMws += sign * other.adjustedProductionMws
    this.onMs += sign * other.onMs
    this.measuredMs += sign * other.measuredMs
    this.estimatedMs += sign * other.estimatedMs
    this.missingMs += sign * other.missingMs
  }

  get isEmpty(): boolean {
    return (
      this.energyMws === 0 &&
      this.productionMws === 0 &&
      this.adjustedMws === 0 &&
      this.adjustedProductionMws === 0 &&
      this.onMs === 0 &&
      this.measuredMs === 0 &&
      this.estimatedMs === 0 &&
      this.missingMs === 0
    )
  }
}
