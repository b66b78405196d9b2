import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EnergyStretch, splitStretch, sumStretches } from '../../src/metering/index.js'
import { runs } from '../support/extent.js'

const stretch = (toMs: number, consumedMws: number, more: Partial<EnergyStretch> = {}): EnergyStretch => ({
  fromMs: 0,
  toMs,
  consumedMws,
  producedMws: 0,
  quality: 'measured',
  ...more,
})

const energies = (parts: EnergyStretch[]) => parts.map(({ consumedMws }) => consumedMws)

describe('splitting a stretch', () => {
  it('gives each part energy by its time', () => {
    expect(splitStretch(stretch(4, 400, { producedMws: 8, quality: 'estimated' }), [1])).toEqual([
      { fromMs: 0, toMs: 1, consumedMws: 100, producedMws: 2, quality: 'estimated' },
      { fromMs: 1, toMs: 4, consumedMws: 300, producedMws: 6, quality: 'estimated' },
    ])
  })

  it('gives what is left over to the largest remainders, of equal ones to the earliest', () => {
    expect(energies(splitStretch(stretch(3, 100), [1, 2]))).toEqual([34, 33, 33])
    expect(energies(splitStretch(stretch(3, 101), [1, 2]))).toEqual([34, 34, 33])
    expect(energies(splitStretch(stretch(10, 5), [1, 4]))).toEqual([1, 1, 3])
    expect(energies(splitStretch(stretch(10, 1), [1, 4]))).toEqual([0, 0, 1])
  })

  it('takes cuts in any order, repeatedly, and leaves out those that are not inside', () => {
    expect(splitStretch(stretch(10, 10), [7, 2, 7, 0, 10, -5, 99])).toEqual(splitStretch(stretch(10, 10), [2, 7]))
    expect(splitStretch(stretch(10, 10), [0, 10])).toEqual([stretch(10, 10)])
  })

  it('leaves a stretch without duration alone', () => {
    expect(splitStretch(stretch(0, 0), [0])).toEqual([stretch(0, 0)])
  })

  it('adds up exactly, and no part is a milliwatt-second off its share, for energies of any size', () => {
    const anyStretch = fc.record({
      fromMs: fc.integer({ min: 0, max: 2e12 }),
      durationMs: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 1e11 })),
      consumedMws: fc.oneof(fc.nat({ max: 1_000 }), fc.maxSafeNat()),
      producedMws: fc.oneof(fc.constant(0), fc.maxSafeNat()),
    })
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 })
    fc.assert(
      fc.property(anyStretch, shares, ({ fromMs, durationMs, ...energy }, cuts) => {
        const whole: EnergyStretch = { fromMs, toMs: fromMs + durationMs, ...energy, quality: 'measured' }
        const parts = splitStretch(
          whole,
          cuts.map((cut) => fromMs + Math.floor(cut * durationMs)),
        )
        expect(sumStretches(parts)).toEqual(energy)
        expect(parts[0]?.fromMs).toBe(whole.fromMs)
        expect(parts.at(-1)?.toMs).toBe(whole.toMs)
        for (const [index, part] of parts.entries()) {
          if (index > 0) expect(part.fromMs).toBe(parts[index - 1]?.toMs)
          const off =
            BigInt(part.consumedMws) * BigInt(durationMs) - BigInt(energy.consumedMws) * BigInt(part.toMs - part.fromMs)
          expect(off < BigInt(durationMs) && -off < BigInt(durationMs)).toBe(true)
        }
      }),
      { numRuns: runs(700) },
    )
  })
})
