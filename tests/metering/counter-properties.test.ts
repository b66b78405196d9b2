import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CounterReading, decideCounter, sumStretches } from '../../src/metering/index.js'
import { deviceReadings, energyByLookingAhead, readingAt, smallReadings, smallRules } from './counter-support.js'

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

describe('a set of counter readings', () => {
  it('comes to the same in whatever order and however often its readings arrive', () => {
    fc.assert(
      fc.property(arrivals(anyReadings), smallRules, ({ sorted, arrived }, rules) => {
        const copies = arrived.map((reading) => ({ ...reading }))
        expect(decideCounter(copies, rules)).toEqual(decideCounter(sorted, rules))
      }),
      { numRuns: 1_500 },
    )
  })

  it('has the energy that a second implementation of the rules, by looking ahead, finds', () => {
    fc.assert(
      fc.property(anyReadings, smallRules, (readings, rules) => {
        const outcome = decideCounter(readings, rules)
        const counted = outcome.decisions
          .filter(({ decision }) => decision !== 'duplicate' && decision !== 'superseded')
          .map(({ reading }) => reading)
        expect(outcome.energyMws).toBe(energyByLookingAhead(counted, rules))
      }),
      { numRuns: 5_000 },
    )
  })

  it('has stretches without holes, each within the limit, that add up to the readings and to the whole', () => {
    fc.assert(
      fc.property(anyReadings, smallRules, (readings, rules) => {
        const { stretches, decisions, energyMws } = decideCounter(readings, rules)
        for (const [index, { fromMs, toMs, consumedMws, producedMws }] of stretches.entries()) {
          expect(toMs).toBeGreaterThan(fromMs)
          if (index > 0) expect(fromMs).toBe(stretches[index - 1]?.toMs)
          expect(Number.isSafeInteger(consumedMws) && consumedMws >= 0 && producedMws === 0).toBe(true)
          const limitMws = 1.2 * rules.maximumPowerW * (toMs - fromMs) + rules.quantumWh * 3_600_000
          expect(consumedMws).toBeLessThanOrEqual(Math.round(limitMws))
        }
        expect(sumStretches(stretches).consumedMws).toBe(energyMws)
        expect(decisions.reduce((sum, { addedMws }) => sum + addedMws, 0)).toBe(energyMws)
      }),
      { numRuns: 1_500 },
    )
  })

  it('can be decided in parts, from one state to the next', () => {
    fc.assert(
      fc.property(anyReadings, smallRules, fc.nat({ max: 80 }), (readings, rules, cutMinute) => {
        const whole = decideCounter(readings, rules)
        const before = decideCounter(
          readings.filter(({ atMs }) => atMs < cutMinute * 60_000),
          rules,
        )
        const stored = structuredClone(before.state)
        const after = decideCounter(
          readings.filter(({ atMs }) => atMs >= cutMinute * 60_000),
          rules,
          stored,
        )
        expect([...before.stretches, ...after.stretches]).toEqual(whole.stretches)
        expect(before.energyMws + after.energyMws).toBe(whole.energyMws)
        expect(after.state).toEqual(whole.state)
        expect(after.pending).toBe(whole.pending)
      }),
      { numRuns: 1_500 },
    )
  })

  it('cannot be gone on with from readings that are not later', () => {
    const rules = { quantumWh: 1, maximumPowerW: 100 }
    const { state } = decideCounter([readingAt(5, 1)], rules)
    expect(() => decideCounter([readingAt(5, 1)], rules, state)).toThrow(RangeError)
  })

  it('shows what was truly used, whatever zeros and single spikes come between', () => {
    const used = fc.record({ wh: fc.nat({ max: 3 }), fault: fc.constantFrom('none', 'none', 'zero', 'spike') })
    fc.assert(
      fc.property(fc.array(used, { minLength: 1, maxLength: 60 }), (steps) => {
        let countWh = 50
        let minute = 0
        const readings = [readingAt(0, 0.05)]
        for (const { wh, fault } of steps) {
          countWh += wh
          if (fault === 'zero') readings.push(readingAt(++minute, 0))
          if (fault === 'spike') readings.push(readingAt(++minute, 90))
          readings.push(readingAt(++minute, countWh / 1_000))
        }
        const { energyMws, pending } = decideCounter(readings, { quantumWh: 1, maximumPowerW: 200 })
        expect(energyMws).toBe((countWh - 50) * 3_600_000)
        expect(pending).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})
