import type { EnergyStretch, StretchQuality } from './stretch.js'

/** Quality seconds: how long, in seconds, the energy of some stretches was measured, estimated and missing. */
export interface QualitySeconds {
  measuredSeconds: number
  estimatedSeconds: number
  missingSeconds: number
}

/** Confidence: how far a figure can be relied on. */
export type Confidence = 'high' | 'medium' | 'low'

const HIGH_FROM = 95
const MEDIUM_FROM = 70

/** The seconds of each quality in the stretches; the same in whatever order they come. */
export function qualitySeconds(
  stretches: Iterable<Pick<EnergyStretch, 'fromMs' | 'toMs' | 'quality'>>,
): QualitySeconds {
  // Whole milliseconds are added, and divided once: sums of fractions would depend on their order.
  const totalMs: Record<StretchQuality, number> = { measured: 0, estimated: 0, missing: 0 }
  for (const { fromMs, toMs, quality } of stretches) totalMs[quality] += toMs - fromMs
  return {
    measuredSeconds: totalMs.measured / 1_000,
    estimatedSeconds: totalMs.estimated / 1_000,
    missingSeconds: totalMs.missing / 1_000,
  }
}

/** The measured share of the time covered, 0 to 100, unrounded; 0 where no time is covered. */
export function qualityScore({ measuredSeconds, estimatedSeconds, missingSeconds }: QualitySeconds): number {
  const claimedSeconds = measuredSeconds + estimatedSeconds + missingSeconds
  if (claimedSeconds === 0) return 0
  // Multiplying first keeps whole percentages whole, so the thresholds are met exactly; rounding can lead past the whole.
  return Math.min(100, (100 * measuredSeconds) / claimedSeconds)
}

/** High from a quality score of 95, medium from 70, else low. */
export function confidence(score: number): Confidence {
  if (score >= HIGH_FROM) return 'high'
  return score >= MEDIUM_FROM ? 'medium' : 'low'
}
