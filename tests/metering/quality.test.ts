import { describe, expect, it } from 'vitest'
import {
  confidence,
  type EnergyStretch,
  qualityScore,
  qualitySeconds,
  type StretchQuality,
} from '../../src/metering/index.js'

const lasting = (seconds: number, quality: StretchQuality): EnergyStretch => ({
  fromMs: 0,
  toMs: seconds * 1_000,
  consumedMws: 0,
  producedMws: 0,
  quality,
})

describe('quality', () => {
  it('tells the seconds measured, estimated and missing', () => {
    const stretches = [
      lasting(1.5, 'measured'),
      lasting(2, 'missing'),
      lasting(0.25, 'estimated'),
      lasting(8, 'measured'),
    ]

    expect(qualitySeconds(stretches)).toEqual({ measuredSeconds: 9.5, estimatedSeconds: 0.25, missingSeconds: 2 })
  })

  it('scores the measured share of the time that is claimed', () => {
    const score = (measured: number, estimated: number, missing: number) =>
      qualityScore(
        qualitySeconds([lasting(measured, 'measured'), lasting(estimated, 'estimated'), lasting(missing, 'missing')]),
      )

    expect(score(3_600, 0, 0)).toBe(100)
    expect(score(95, 5, 0)).toBe(95)
    expect(score(70, 10, 20)).toBe(70)
    expect(score(0, 10, 0)).toBe(0)
    expect(score(0, 0, 0)).toBe(0)
  })

  it('is of high confidence from 95, of medium from 70', () => {
    expect([100, 95, 94.999, 70, 69.999, 0].map(confidence)).toEqual(['high', 'high', 'medium', 'medium', 'low', 'low'])
  })
})
