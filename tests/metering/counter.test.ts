import { describe, expect, it } from 'vitest'
import {
  type CounterReading,
  type CounterRules,
  decideCounter,
  isCounterValue,
  kwhFromMws,
} from '../../src/metering/index.js'
import { everyMinute, HIGH_POWER, readingAt } from './counter-support.js'

const PLAUSIBLE = { quantumWh: 1, maximumPowerW: 25_000 }
/** 25 kW for a minute, 20 % more, and the quantum. */
const LIMIT_OF_A_MINUTE_KWH = 0.501

const energyKwh = (readings: CounterReading[], rules: CounterRules = HIGH_POWER) =>
  kwhFromMws(decideCounter(readings, rules).energyMws)
const decided = (readings: CounterReading[], rules: CounterRules = HIGH_POWER) =>
  decideCounter(readings, rules).decisions.map(({ decision }) => decision)

describe('the examples of the rules', () => {
  it.each([
    { counts: [100, 101.5, 103], adds: 3 },
    { counts: [35.6, 0, 35.6], adds: 0 },
    { counts: [35.6, 0, 0, 0, 35.6], adds: 0 },
    { counts: [35.6, 0, 0, 35.7], adds: 0.1 },
    { counts: [100, 105, 0, 1.2, 1.3], adds: 5 + 1.3 },
    { counts: [10, 12, 0, 3, 0, 4], adds: 2 + 4 },
    { counts: [100, 95, 101], adds: 1 },
  ])('$counts kWh adds $adds kWh', ({ counts, adds }) => {
    const outcome = decideCounter(everyMinute(...counts), HIGH_POWER)

    expect(kwhFromMws(outcome.energyMws)).toBe(adds)
    expect(outcome.pending).toBe(false)
  })

  it('65530, 65535, 3 with width 65536 adds 9', () => {
    expect(energyKwh(everyMinute(65_530, 65_535, 3), { ...HIGH_POWER, widthWh: 65_536_000 })).toBe(9)
  })

  it('978.438, 7.439, 1.150, 478.439 adds nothing yet: the last is a spike after a low run', () => {
    const outcome = decideCounter(everyMinute(978.438, 7.439, 1.15, 478.439), PLAUSIBLE)

    expect(outcome.energyMws).toBe(0)
    expect(outcome.pending).toBe(true)
    expect(outcome.stretches).toEqual([])
    expect(outcome.decisions.map(({ decision }) => decision)).toEqual([
      'zero_point',
      'low_run',
      'low_run',
      'spike_held',
    ])
  })
})

describe('what a reading is', () => {
  it.each([
    null,
    undefined,
    '12',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0.001,
    {},
    true,
    3n,
  ])('refuses %s', (value) => expect(isCounterValue(value)).toBe(false))

  it.each([0, 0.001, 978.438, 1e300])('takes %s', (value) => expect(isCounterValue(value)).toBe(true))

  it('throws for a value that should have been quarantined', () => {
    expect(() => decideCounter(everyMinute(1, Number.NaN), PLAUSIBLE)).toThrow(RangeError)
  })

  it('takes an absurdly high value for the spike that it is', () => {
    const readings = [
      ...everyMinute(1, 1.1),
      readingAt(2, 1e302),
      readingAt(3, 1.2),
      readingAt(4, Number.MAX_VALUE / 1e3),
    ]

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.2)
  })
})

describe('the first reading', () => {
  it('is the zero point and adds nothing', () => {
    const outcome = decideCounter(everyMinute(4_711), PLAUSIBLE)

    expect(outcome.energyMws).toBe(0)
    expect(outcome.decisions).toMatchObject([{ decision: 'zero_point', addedMws: 0 }])
  })

  it('is not needed: no readings are no energy', () => {
    expect(decideCounter([], PLAUSIBLE)).toMatchObject({ energyMws: 0, stretches: [], decisions: [], pending: false })
  })
})

describe('rule 1: readings of one instant', () => {
  it('drops a reading with the same count as a duplicate', () => {
    const readings = [readingAt(0, 1, { sequence: 1 }), readingAt(0, 1, { sequence: 2 }), readingAt(1, 1.1)]

    expect(decided(readings)).toEqual(['duplicate', 'zero_point', 'accepted'])
  })

  it('counts a message that was delivered again only once', () => {
    const readings = everyMinute(1, 1.1)

    expect(decided([...readings, ...readings, ...readings])).toEqual(['zero_point', 'accepted'])
  })

  it('lets the higher sequence number count, and flags both', () => {
    const readings = [readingAt(0, 1), readingAt(1, 1.4, { sequence: 8 }), readingAt(1, 1.1, { sequence: 9 })]

    const outcome = decideCounter(readings, PLAUSIBLE)

    expect(kwhFromMws(outcome.energyMws)).toBe(0.1)
    expect(outcome.decisions).toMatchObject([
      { decision: 'zero_point', contested: false },
      { decision: 'superseded', contested: true, addedMws: 0 },
      { decision: 'accepted', contested: true },
    ])
  })

  it('lets the higher digest count where there is no sequence number', () => {
    const readings = [readingAt(0, 1), readingAt(1, 1.1, { digest: 'c0ffee' }), readingAt(1, 1.4, { digest: 'bad' })]

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.1)
  })
})

describe('rule 2: an acceptable rise', () => {
  it('accepts a rise up to 1.2 times the highest power and the quantum', () => {
    expect(energyKwh(everyMinute(10, 10 + LIMIT_OF_A_MINUTE_KWH), PLAUSIBLE)).toBe(LIMIT_OF_A_MINUTE_KWH)
    expect(decided(everyMinute(10, 10 + LIMIT_OF_A_MINUTE_KWH + 0.000_001), PLAUSIBLE)).toEqual([
      'zero_point',
      'spike_held',
    ])
  })

  it('gives more energy more time', () => {
    expect(energyKwh([readingAt(0, 0), readingAt(60, 30)], PLAUSIBLE)).toBe(30)
  })

  it('is measured up to the gap limit, and estimated over a longer gap with its energy unchanged', () => {
    const outcome = decideCounter([readingAt(0, 1), readingAt(5, 1.1), readingAt(11, 1.3)], PLAUSIBLE)

    expect(outcome.stretches).toEqual([
      { fromMs: 0, toMs: 300_000, consumedMws: 360_000_000, producedMws: 0, quality: 'measured' },
      { fromMs: 300_000, toMs: 660_000, consumedMws: 720_000_000, producedMws: 0, quality: 'estimated' },
    ])
  })
})

describe('rule 3: a spike', () => {
  it('is held while fewer than two readings follow', () => {
    expect(decideCounter(everyMinute(10, 500), PLAUSIBLE)).toMatchObject({ pending: true, energyMws: 0 })
    expect(decided(everyMinute(10, 500, 500.1), PLAUSIBLE)).toEqual(['zero_point', 'spike_held', 'spike_held'])
  })

  it('is dropped if the first reading after it is not acceptable after it', () => {
    const readings = everyMinute(10, 500, 10.1, 10.2)

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.2)
    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'spike_dropped', 'accepted', 'accepted'])
  })

  it('is dropped if the second reading after it is not acceptable after it', () => {
    const readings = everyMinute(10, 500, 500.1, 10.1)

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.1)
    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'spike_dropped', 'spike_dropped', 'accepted'])
  })

  it('is dropped by a zero', () => {
    expect(decided(everyMinute(10, 500, 0, 10.1), PLAUSIBLE)).toEqual([
      'zero_point',
      'spike_dropped',
      'glitch',
      'accepted',
    ])
  })

  it('re-bases the counter if two readings bear it out, adding the limit and what follows', () => {
    const outcome = decideCounter(everyMinute(10, 500, 500.1, 500.3), PLAUSIBLE)

    expect(kwhFromMws(outcome.energyMws)).toBeCloseTo(LIMIT_OF_A_MINUTE_KWH + 0.3, 9)
    expect(outcome.decisions.map(({ decision }) => decision)).toEqual(['zero_point', 'rebased', 'accepted', 'accepted'])
    expect(outcome.stretches.map(({ quality }) => quality)).toEqual(['estimated', 'measured', 'measured'])
  })

  it('asks both readings to follow the spike, not each other', () => {
    const readings = [
      readingAt(0, 10),
      readingAt(1, 500),
      readingAt(2, 500.2),
      readingAt(3, 500.1),
      readingAt(4, 500.4),
    ]

    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'rebased', 'accepted', 'glitch', 'accepted'])
    expect(energyKwh(readings, PLAUSIBLE)).toBeCloseTo(LIMIT_OF_A_MINUTE_KWH + 0.4, 9)
  })

  it('gives way to a reading that more time makes acceptable', () => {
    const readings = [readingAt(0, 10), readingAt(1, 10.6), readingAt(2, 10.7), readingAt(3, 10.5)]

    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'spike_dropped', 'accepted', 'low_run'])
  })
})

describe('rule 4: a rollover', () => {
  const rules = { ...HIGH_POWER, widthWh: 65_536_000 }

  it('needs a count above 90 % before and below 10 % after', () => {
    expect(decided(everyMinute(65_535, 3), rules)).toEqual(['zero_point', 'rollover'])
    expect(decided(everyMinute(58_000, 3), rules)).toEqual(['zero_point', 'low_run'])
    expect(decided(everyMinute(65_535, 6_600), rules)).toEqual(['zero_point', 'low_run'])
  })

  it('needs the width to be known', () => {
    expect(decided(everyMinute(65_535, 3))).toEqual(['zero_point', 'low_run'])
  })

  it('that would add more than the limit is a low run', () => {
    expect(decided(everyMinute(65_535, 3), { ...PLAUSIBLE, widthWh: 65_536_000 })).toEqual(['zero_point', 'low_run'])
  })

  it('works for a counter of 32 bits in Wh', () => {
    const readings = [readingAt(0, 4_294_967.29), readingAt(1, 0.004)]

    expect(energyKwh(readings, { ...PLAUSIBLE, widthWh: 2 ** 32 })).toBeCloseTo(0.01, 9)
  })
})

describe('rule 5: a low run', () => {
  it('is pending where the data ends, and adds nothing', () => {
    for (const counts of [
      [10, 0],
      [10, 0, 0, 0],
      [10, 2],
      [10, 0, 2],
      [10, 3, 2],
    ]) {
      expect(decideCounter(everyMinute(...counts), PLAUSIBLE)).toMatchObject({ pending: true, energyMws: 0 })
    }
  })

  it('was a glitch if the count comes back, however long it took', () => {
    const zeros = Array.from({ length: 500 }, () => 0)

    const outcome = decideCounter(everyMinute(35.6, ...zeros, 35.6, 35.7), PLAUSIBLE)

    expect(kwhFromMws(outcome.energyMws)).toBe(0.1)
    expect(outcome.decisions.filter(({ decision }) => decision === 'glitch')).toHaveLength(500)
    expect(outcome.stretches).toMatchObject([{ quality: 'estimated' }, { quality: 'measured' }])
  })

  it('does not end at a count that is too high to come from before it', () => {
    const readings = everyMinute(10, 0, 0.1, 700, 0.2)

    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'glitch', 'reset', 'spike_dropped', 'accepted'])
    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.2)
  })

  it('ends with a re-based counter if two readings bear out a spike above the count before it', () => {
    const readings = everyMinute(10, 0, 700, 700.1, 700.2)

    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'glitch', 'rebased', 'accepted', 'accepted'])
    expect(energyKwh(readings, PLAUSIBLE)).toBeCloseTo(1.001 + 0.2, 9)
  })

  it('starts anew at a spike below the count before it that two readings bear out, which makes it a reset', () => {
    const readings = everyMinute(978.438, 7.439, 1.15, 478.439, 478.5, 478.6)

    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'glitch', 'glitch', 'reset', 'accepted', 'accepted'])
    expect(energyKwh(readings, PLAUSIBLE)).toBeCloseTo(2.001 + 0.1, 9)
  })

  it('goes on where a spike in it is not borne out', () => {
    const readings = everyMinute(978.438, 1.15, 478.439, 1.2)

    expect(decided(readings, PLAUSIBLE)).toEqual(['zero_point', 'reset', 'spike_dropped', 'accepted'])
    expect(energyKwh(readings, PLAUSIBLE)).toBe(1.2)
  })

  it('lets zeros decide nothing about a spike in it either', () => {
    const readings = everyMinute(978.438, 1.15, 478.439, 0, 478.5, 0, 478.6)

    expect(decided(readings, PLAUSIBLE)).toEqual([
      'zero_point',
      'glitch',
      'reset',
      'glitch',
      'accepted',
      'glitch',
      'accepted',
    ])
  })

  it('starts anew at a reading that falls', () => {
    expect(decided(everyMinute(10, 3, 2, 1, 1.1), PLAUSIBLE)).toEqual([
      'zero_point',
      'glitch',
      'glitch',
      'reset',
      'accepted',
    ])
  })

  it('is a reset after two readings, which adds no more than the limit over the time since the count before', () => {
    expect(energyKwh(everyMinute(100, 0, 3, 3.1), PLAUSIBLE)).toBe(1.501)
    expect(energyKwh(everyMinute(100, 0, 1.2, 1.3), PLAUSIBLE)).toBe(1.3)
  })

  it('gives the energy since a reset to the time in which it was counted', () => {
    const { stretches } = decideCounter([readingAt(0, 100), readingAt(60, 2), readingAt(61, 2.1)], PLAUSIBLE)

    expect(stretches).toEqual([
      { fromMs: 0, toMs: 3_600_000, consumedMws: 7_200_000_000, producedMws: 0, quality: 'estimated' },
      { fromMs: 3_600_000, toMs: 3_660_000, consumedMws: 360_000_000, producedMws: 0, quality: 'measured' },
    ])
  })

  it('can follow another one', () => {
    expect(energyKwh(everyMinute(10, 10.1, 0, 0.1, 0.2, 0, 0.1, 0.15), PLAUSIBLE)).toBeCloseTo(0.1 + 0.2 + 0.15, 9)
  })
})

describe('jitter', () => {
  it('within the quantum is no reset, however long it lasts', () => {
    const readings = everyMinute(10, 9.999, 9.999, 9.999, 9.9995, 10)

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0)
    expect(decideCounter(readings, PLAUSIBLE).pending).toBe(false)
  })

  it('does not count the same energy again and again', () => {
    const flicker = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 10 : 9.999))

    expect(energyKwh(everyMinute(...flicker, 10.001), PLAUSIBLE)).toBe(0.001)
  })
})

describe('rules that cannot be', () => {
  it.each([
    { quantumWh: -1, maximumPowerW: 1 },
    { quantumWh: Number.NaN, maximumPowerW: 1 },
    { quantumWh: 1, maximumPowerW: 0 },
    { quantumWh: 1, maximumPowerW: Number.NaN },
    { quantumWh: 1, maximumPowerW: 1, widthWh: 10 },
  ])('throws for %o', (rules) => expect(() => decideCounter([], rules)).toThrow(RangeError))
})
