import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CounterReading, decideCounter, type EnergyStretch, sumStretches } from '../../src/metering/index.js'
import { runs } from '../support/extent.js'
import { referenceEnergy } from './counter-reference.js'
import { deviceReadings, readingAt, smallReadings, smallRules } from './counter-support.js'

const anyReadings = fc.oneof(smallReadings(14), deviceReadings(40))

/** Another arrival of the same readings: shuffled, and some of them more than once. */
const arrivals = (readings: fc.Arbitrary<CounterReading[]>) =>
  readings.chain((sorted) => {
    const again = sorted.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...sorted), { maxLength: 5 })
    return again.chain((repeated) => {
      const all = [...sorted, ...repeated]
      return fc.record({
        sorted: fc.constant(sorted),
        arrived: fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
      })
    })
  })

const missingMs = (stretches: readonly EnergyStretch[]) =>
  stretches.filter(({ quality }) => quality === 'missing').reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)

describe('a set of counter readings', () => {
  it('comes to the same in whatever order and however often its readings arrive', () => {
    fc.assert(
      fc.property(arrivals(anyReadings), smallRules, ({ sorted, arrived }, rules) => {
        const copies = arrived.map((reading) => ({ ...reading }))
        expect(decideCounter(copies, rules)).toEqual(decideCounter(sorted, rules))
      }),
      { numRuns: runs(500) },
    )
  })

  it('has the energy and the missing time that a second reading of the rules finds', () => {
    const reached = { missing: 0, pending: 0 }
    fc.assert(
      fc.property(anyReadings, smallRules, (readings, rules) => {
        const distinct = [...new Map(readings.map((reading) => [reading.atMs, reading])).values()]
        const { energyMws, stretches, state } = decideCounter(distinct, rules)
        const expected = referenceEnergy(distinct, rules)
        expect({ mws: energyMws, missingMs: missingMs(stretches), isPending: state.isPending }).toEqual(expected)
        if (expected.missingMs > 0) reached.missing += 1
        if (expected.isPending) reached.pending += 1
      }),
      { numRuns: runs(5000) },
    )
    expect(reached.missing).toBeGreaterThan(500)
    expect(reached.pending).toBeGreaterThan(500)
  })

  it('has stretches without holes, none above the limit, that add up to the whole', () => {
    fc.assert(
      fc.property(anyReadings, smallRules, (readings, rules) => {
        const { stretches, energyMws } = decideCounter(readings, rules)
        for (const [index, { fromMs, toMs, consumedMws, producedMws, quality }] of stretches.entries()) {
          expect(toMs).toBeGreaterThan(fromMs)
          if (index > 0) expect(fromMs).toBe(stretches[index - 1]?.toMs)
          expect(Number.isSafeInteger(consumedMws) && consumedMws >= 0 && producedMws === 0).toBe(true)
          if (quality === 'missing') expect(consumedMws).toBe(0)
        }
        const durationMs = (stretches.at(-1)?.toMs ?? 0) - (stretches[0]?.fromMs ?? 0)
        const steps = stretches.length
        expect(energyMws).toBeLessThanOrEqual(
          Math.round(1.2 * rules.maximumPowerW * durationMs) + (steps + 1) * (rules.quantumWh * 3_600_000 + 1),
        )
        expect(sumStretches(stretches).consumedMws).toBe(energyMws)
      }),
      { numRuns: runs(500) },
    )
  })

  it('can be decided in parts, from one state to the next', () => {
    fc.assert(
      fc.property(anyReadings, smallRules, fc.array(fc.nat({ max: 80 }), { maxLength: 4 }), (readings, rules, cuts) => {
        const whole = decideCounter(readings, rules)
        const bounds = [0, ...cuts.sort((a, b) => a - b), 1_000].map((minute) => minute * 60_000)
        let state: typeof whole.state | undefined
        const stretches: EnergyStretch[] = []
        for (const [index, fromMs] of bounds.entries()) {
          const part = readings.filter(({ atMs }) => atMs >= fromMs && atMs < (bounds[index + 1] ?? 0))
          const outcome = decideCounter(part, rules, state)
          stretches.push(...outcome.stretches)
          state = structuredClone(outcome.state)
        }
        expect(stretches).toEqual(whole.stretches)
        expect(state).toEqual(whole.state)
      }),
      { numRuns: runs(500) },
    )
  })

  it('cannot be gone on with from readings that are not later', () => {
    const rules = { quantumWh: 1, maximumPowerW: 100 }
    const { state } = decideCounter([readingAt(5, 1)], rules)
    expect(() => decideCounter([readingAt(5, 1)], rules, state)).toThrow(RangeError)
  })
})
