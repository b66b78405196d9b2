import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CounterReading, type CounterRules, decideCounter, isSettledAfter } from '../../src/metering/index.js'
import { runs } from '../support/extent.js'
import { deviceReadings, everyMinute, readingAt, smallReadings, smallRules } from './counter-support.js'

const PLAUSIBLE = { quantumWh: 1, maximumPowerW: 25_000 }

const later = (readings: CounterReading[], byMs: number) =>
  readings.map((reading) => ({ ...reading, atMs: reading.atMs + byMs }))

describe('a settled run', () => {
  it('is two readings that are above its first, and a rise by a quantum after them', () => {
    expect(isSettledAfter(everyMinute(10, 10.1, 10.2, 10.3), PLAUSIBLE)).toBe(true)
    expect(isSettledAfter(everyMinute(500, 0, 10, 10.1, 10.2, 10.3, 0), PLAUSIBLE)).toBe(true)
    expect(isSettledAfter(everyMinute(10, 10.001, 10.002, 10.003), PLAUSIBLE)).toBe(true)
  })

  it('may take longer to rise', () => {
    expect(isSettledAfter(everyMinute(10, 10, 10, 10.001, 10.001, 10.002, 10.002, 10.003), PLAUSIBLE)).toBe(true)
  })

  it.each([
    { name: 'too few readings', counts: [10, 10.1, 10.2] },
    { name: 'zeros', counts: [0, 0.1, 0.2, 0.3] },
    { name: 'a fall', counts: [10, 10.2, 10.3, 10.1, 10.4] },
    { name: 'a rise that is too fast', counts: [10, 10.1, 500, 500.1, 500.2] },
    { name: 'no rise, which may be jitter below a higher count', counts: [10, 10, 10, 10, 10] },
    { name: 'a rise of one quantum above its second reading', counts: [10, 10.001, 10.002, 10.002] },
    { name: 'one reading above its first', counts: [10, 10, 10, 10.005] },
  ])('is not $name', ({ counts }) => expect(isSettledAfter(everyMinute(...counts), PLAUSIBLE)).toBe(false))

  it('needs no more than two followers and some rise where the counter has no quantum', () => {
    expect(isSettledAfter(everyMinute(10, 10, 10), { ...PLAUSIBLE, quantumWh: 0 })).toBe(false)
    expect(isSettledAfter(everyMinute(10, 10, 10.000_001), { ...PLAUSIBLE, quantumWh: 0 })).toBe(true)
  })

  /** What came before makes a difference to each of these. */
  it.each([
    { name: 'it rises by one quantum above its second reading', before: [5], run: [3, 3, 4] },
    { name: 'it rises by two, but at once', before: [6], run: [3, 3, 5] },
    {
      name: 'the first reading is jitter on a level, so that only the last one is accepted',
      before: [6, 4],
      run: [3, 3, 4, 5],
    },
    { name: 'no reading follows that in which it is accepted', before: [6], run: [3, 5, 5] },
  ])('is not one in which $name', ({ before, run }) => {
    const rules = { quantumWh: 1, maximumPowerW: 100 }
    const readings = minutes(run, before.length)
    const alone = decideCounter(readings, rules).state.last
    const whole = decideCounter([...minutes(before, 0), ...readings], rules).state.last
    expect(whole).not.toEqual(alone)
    expect(isSettledAfter(readings, rules)).toBe(false)
  })

  it('leaves the same state whatever came before it', () => {
    let settled = 0
    const run = fc.oneof(smallReadings(9), deviceReadings(12))
    fc.assert(
      fc.property(smallReadings(9), run, smallRules, (before, readings, rules) => {
        const history = [...before, ...later(readings, 100 * 60_000)]
        if (!isSettledAfter(history.slice(before.length), rules)) return
        settled += 1
        const alone = decideCounter(history.slice(before.length), rules)
        expect(decideCounter(history, rules).state).toEqual(alone.state)
      }),
      { numRuns: runs(4000) },
    )
    expect(settled).toBeGreaterThan(260)
  })

  it('leaves the same state whatever came before it, for every short history of small counts', () => {
    const rules = { quantumWh: 1, maximumPowerW: 100, widthWh: 12 }
    const runs = sequences([1, 2, 3, 4, 5, 6, 9, 11], 5)
      .map((counts) => minutes(counts, 3))
      .filter((run) => isSettledAfter(run, rules))
    expect(runs.length).toBeGreaterThan(50)
    for (const before of sequences([0, 1, 2, 3, 5, 9, 11], 3)) {
      for (const run of runs) {
        const [found, expected] = [[...minutes(before, 0), ...run], run].map(
          (history) => decideCounter(history, rules).state,
        )
        // There are so many that only one that fails is shown by `expect`.
        if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected)
      }
    }
  })
})

describe('what one reading changes', () => {
  it('adds up to the energy of all, in any order of arrival, with windows cut where the counter is settled', () => {
    let cut = 0
    fc.assert(
      fc.property(arrival(smallReadings(25)), smallRules, (readings, rules) => {
        cut += expectChangesToAddUp(readings, rules)
      }),
      { numRuns: runs(300) },
    )
    fc.assert(
      fc.property(arrival(deviceReadings(60)), smallRules, (readings, rules) => {
        cut += expectChangesToAddUp(readings, rules)
      }),
      { numRuns: runs(150) },
    )
    expect(cut).toBeGreaterThan(1_800)
  })

  it('is negative where a late reading shows that less was used', () => {
    const withoutSpike = [readingAt(0, 10), readingAt(30, 20), readingAt(31, 20.1)]

    expect(changeBy(withoutSpike, readingAt(29, 10.1), PLAUSIBLE)).toBeLessThan(0)
  })
})

function changeBy(window: CounterReading[], reading: CounterReading, rules: CounterRules): number {
  return decideCounter([...window, reading], rules).energyMws - decideCounter(window, rules).energyMws
}

function expectChangesToAddUp(arriving: CounterReading[], rules: CounterRules): number {
  const arrived: CounterReading[] = []
  let energyMws = 0
  let cut = 0
  for (const reading of arriving) {
    const window = windowAround(reading, arrived, rules)
    if (window.length < arrived.length) cut += 1
    energyMws += changeBy(window, reading, rules)
    arrived.push(reading)
    expect(energyMws).toBe(decideCounter(arrived, rules).energyMws)
  }
  return cut
}

/** As many whole instants before and after a reading as it takes for the counter to be settled on either side. */
function windowAround({ atMs }: CounterReading, readings: CounterReading[], rules: CounterRules): CounterReading[] {
  const instants = [...new Set(readings.map((reading) => reading.atMs))].sort((a, b) => a - b)
  const side = (times: number[]) => {
    const taken: CounterReading[] = []
    for (const time of times) {
      if (isSettledAfter(taken, rules)) break
      taken.push(...readings.filter((reading) => reading.atMs === time))
    }
    return taken
  }
  const before = side(instants.filter((time) => time < atMs).reverse())
  const after = side(instants.filter((time) => time > atMs))
  return [...before, ...readings.filter((reading) => reading.atMs === atMs), ...after]
}

function arrival(readings: fc.Arbitrary<CounterReading[]>): fc.Arbitrary<CounterReading[]> {
  return readings.chain((all) => fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }))
}

function sequences(values: number[], length: number): number[][] {
  if (length === 0) return [[]]
  return sequences(values, length - 1).flatMap((start) => values.map((value) => [...start, value]))
}

function minutes(countsWh: number[], from: number): CounterReading[] {
  return countsWh.map((countWh, index) => readingAt(from + index, countWh / 1_000))
}
