import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideCounter } from '../../src/metering/index.js'
import { runs } from '../support/extent.js'
import { randomOf, type SimulatedCounter, simulateCounter } from './simulated-counter.js'

const seeds = fc.integer({ min: 0, max: 2 ** 31 })

/** What was truly used up to the last reading. */
function truthOf({ readings, usedUntil }: SimulatedCounter): number {
  return usedUntil(readings.at(-1)?.atMs ?? 0)
}

/** A quantum for each fault, and one for what the first reading had not shown yet. */
function toleranceOf({ faults, rules }: SimulatedCounter): number {
  return (faults + 1) * Math.max(rules.quantumWh * 3_600_000, 1)
}

describe('a counter with resets, older values, zeros, all-ones patterns, jitter, glitches, losses and backward counts', () => {
  it('never comes to more than was used, but for a quantum a fault', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const counter = simulateCounter(seed, 4, 40)
        const { energyMws } = decideCounter(counter.readings, counter.rules)
        expect(energyMws).toBeLessThanOrEqual(truthOf(counter) + toleranceOf(counter))
      }),
      { numRuns: runs(100) },
    )
  })

  it('comes to less only by what was used in missing time, around a jump of the count, and after the last decision', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const counter = simulateCounter(seed, 4, 80)
        const { readings, rules, usedUntil, jumps } = counter
        const { stretches, energyMws } = decideCounter(readings, rules)
        const usedIn = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => usedUntil(toMs) - usedUntil(fromMs)
        const unknown = stretches.filter(
          ({ fromMs, toMs, quality }) =>
            quality === 'missing' || jumps.some((jump) => jump.toMs > fromMs && jump.toMs <= toMs),
        )
        const decidedMs = stretches.at(-1)?.toMs ?? 0
        const explained = [...unknown, { fromMs: decidedMs, toMs: readings.at(-1)?.atMs ?? 0 }]
        const unknownMws = explained.reduce((sum, one) => sum + usedIn(one), 0)
        expect(energyMws).toBeGreaterThanOrEqual(truthOf(counter) - unknownMws - toleranceOf(counter))
      }),
      { numRuns: runs(100) },
    )
  })

  it('is exact where nothing but zeros, patterns, jitter, glitches and losses come between', () => {
    let seen = 0
    fc.assert(
      fc.property(seeds, (seed) => {
        const counter = simulateCounter(seed, 1, 60)
        if (counter.jumps.length > 0) return
        const { energyMws, state } = decideCounter(counter.readings, counter.rules)
        if (state.isPending) return
        seen += 1
        expect(Math.abs(energyMws - truthOf(counter))).toBeLessThanOrEqual(toleranceOf(counter))
      }),
      { numRuns: runs(1000) },
    )
    expect(seen).toBeGreaterThan(100)
  })

  it('comes to the same in parts, and in any order of arrival', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { readings, rules } = simulateCounter(seed, 2, 25)
        const random = randomOf(seed)
        const whole = decideCounter(readings, rules)
        const shuffled = readings.map((reading) => ({ reading, key: random() })).sort((a, b) => a.key - b.key)
        expect(
          decideCounter(
            shuffled.map(({ reading }) => reading),
            rules,
          ),
        ).toEqual(whole)
        const cut = Math.floor(random() * readings.length)
        const first = decideCounter(readings.slice(0, cut), rules)
        const second = decideCounter(readings.slice(cut), rules, structuredClone(first.state))
        expect([...first.stretches, ...second.stretches]).toEqual(whole.stretches)
        expect(second.state).toEqual(whole.state)
      }),
      { numRuns: runs(40) },
    )
  })
})

it('is less than a hundredth under the truth, and never above it, for 400 counters of a week', () => {
  let [foundMws, trueMws, above] = [0, 0, 0]
  for (let seed = 1; seed <= 400; seed += 1) {
    const counter = simulateCounter(seed, 7, 100)
    const { energyMws } = decideCounter(counter.readings, counter.rules)
    foundMws += energyMws
    trueMws += truthOf(counter)
    if (energyMws > truthOf(counter) + toleranceOf(counter)) above += 1
  }
  const percent = (100 * (foundMws - trueMws)) / trueMws
  expect(above).toBe(0)
  expect(percent).toBeLessThanOrEqual(0)
  expect(percent).toBeGreaterThan(-1)
})
