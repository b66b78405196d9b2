import { describe, expect, it } from 'vitest'
import {
  type CounterReading,
  type CounterRules,
  decideCounter,
  isCounterValue,
  kwhFromMws,
} from '../../src/metering/index.js'
import { everyMinute, HIGH_POWER, readingAt } from './counter-support.js'

/** 25 kW for a minute and 20 % more come to 0.5 kWh. */
const PLAUSIBLE = { quantumWh: 1, maximumPowerW: 25_000 }
const NO_QUANTUM = { quantumWh: 0, maximumPowerW: 25_000 }
const LIMIT_OF_A_MINUTE_KWH = 0.501
const ALL_ONES = 4_294_967.295

const energyKwh = (readings: CounterReading[], rules: CounterRules = HIGH_POWER) =>
  kwhFromMws(decideCounter(readings, rules).energyMws)
const isPending = (readings: CounterReading[], rules: CounterRules = HIGH_POWER) =>
  decideCounter(readings, rules).state.isPending
const missingMinutes = (readings: CounterReading[], rules: CounterRules) =>
  decideCounter(readings, rules)
    .stretches.filter(({ quality }) => quality === 'missing')
    .reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs) / 60_000, 0)

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
    expect(energyKwh(everyMinute(...counts))).toBe(adds)
    expect(isPending(everyMinute(...counts))).toBe(false)
  })

  it.each([
    { counts: [10, 500, 500.1, 500.3], adds: 0.3, missing: 1 },
    { counts: [100, 0, 3, 3.1], adds: 0.1, missing: 2 },
    { counts: [10, 0, 700, 700.1, 700.2], adds: 0.2, missing: 2 },
    { counts: [0.1, ALL_ONES, ALL_ONES, ALL_ONES, 0.101, 0.102], adds: 0.002, missing: 0 },
  ])('at 25 kW, $counts kWh adds $adds kWh with $missing minutes missing', ({ counts, adds, missing }) => {
    expect(energyKwh(everyMinute(...counts), PLAUSIBLE)).toBeCloseTo(adds, 9)
    expect(missingMinutes(everyMinute(...counts), PLAUSIBLE)).toBe(missing)
    expect(isPending(everyMinute(...counts), PLAUSIBLE)).toBe(false)
  })

  it('65530, 65535, 3 with width 65536 adds 9', () => {
    expect(energyKwh(everyMinute(65_530, 65_535, 3), { ...HIGH_POWER, widthWh: 65_536_000 })).toBe(9)
  })

  it('978.438, 7.439, 1.150, 478.439 adds nothing yet: the last is a spike beside a low level', () => {
    const { energyMws, stretches, state } = decideCounter(everyMinute(978.438, 7.439, 1.15, 478.439), PLAUSIBLE)

    expect({ energyMws, stretches, isPending: state.isPending }).toEqual({
      energyMws: 0,
      stretches: [],
      isPending: true,
    })
    expect(state.level?.last.energyMws).toBe(1_150 * 3_600_000)
    expect(state.spike?.last.energyMws).toBe(478_439 * 3_600_000)
  })

  it('9, 7 ten minutes later, 7.01 adds 0.01 with ten minutes missing', () => {
    const readings = [readingAt(0, 9), readingAt(10, 7), readingAt(11, 7.01)]

    expect(decideCounter(readings, PLAUSIBLE).stretches).toEqual([
      { fromMs: 0, toMs: 600_000, consumedMws: 0, producedMws: 0, quality: 'missing' },
      { fromMs: 600_000, toMs: 660_000, consumedMws: 36_000_000, producedMws: 0, quality: 'measured' },
    ])
  })

  it.each([
    { rules: NO_QUANTUM, adds: 0.000_15 },
    { rules: PLAUSIBLE, adds: 0 },
  ])(
    '544.587493, 544.587, 544.58715 adds at most 0.00015, with a quantum of $rules.quantumWh Wh',
    ({ rules, adds }) => {
      expect(energyKwh(everyMinute(544.587493, 544.587, 544.58715), rules)).toBe(adds)
    },
  )
})

describe('cases of the field', () => {
  const readings = (...rows: [minute: number, energyWh: number][]) =>
    rows.map(([minute, energyWh]) => readingAt(minute, energyWh / 1_000))

  it.each([
    {
      name: 'a small fall without a quantum',
      rows: readings([0, 500_000.493], [1, 500_000], [2, 500_000.15]),
      q: 0,
      wh: 0.15,
    },
    { name: 'a count that goes on 4 % lower', rows: readings([0, 500_000], [1, 480_000], [2, 480_010]), q: 1, wh: 10 },
    { name: 'an older value after ten minutes', rows: readings([0, 9_000], [10, 7_000], [11, 7_010]), q: 1, wh: 10 },
    {
      name: 'an all-ones pattern three times',
      rows: readings([0, 100], [1, 4294967295], [2, 4294967295], [3, 4294967295], [4, 101], [5, 102]),
      q: 1,
      wh: 2,
    },
    {
      name: 'a meter that counts back while it produces',
      rows: readings([0, 90_000], [1, 89_900], [2, 89_700], [3, 89_750], [4, 89_800]),
      q: 1,
      wh: 100,
    },
  ])('$name', ({ rows, q, wh }) => {
    expect(energyKwh(rows, { quantumWh: q, maximumPowerW: 25_000 })).toBe(wh / 1_000)
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

  it('takes an absurdly high value for the glitch that it is', () => {
    const counts = [1, 1.1, 1e299, 1.2, Number.MAX_VALUE / 1e6, Number.MAX_VALUE / 1e6, 1.3]

    expect(energyKwh(everyMinute(...counts), PLAUSIBLE)).toBe(0.3)
  })
})

describe('the first reading', () => {
  it('is the zero point and adds nothing', () => {
    expect(decideCounter(everyMinute(4_711), PLAUSIBLE)).toMatchObject({ energyMws: 0, stretches: [] })
  })

  it('is not needed: no readings are no energy', () => {
    expect(decideCounter([], PLAUSIBLE)).toMatchObject({ energyMws: 0, stretches: [], state: { isPending: false } })
  })
})

describe('rule 1: readings of one instant', () => {
  it('counts one of those that show the same count', () => {
    const readings = [readingAt(0, 1, { sequence: 1 }), readingAt(0, 1, { sequence: 2 }), readingAt(1, 1.1)]

    expect(energyKwh(readings)).toBe(0.1)
  })

  it('counts a message that was delivered again only once', () => {
    const readings = everyMinute(1, 1.1)

    expect(energyKwh([...readings, ...readings, ...readings])).toBe(0.1)
  })

  it('lets the higher sequence number count', () => {
    const readings = [readingAt(0, 1), readingAt(1, 1.4, { sequence: 8 }), readingAt(1, 1.1, { sequence: 9 })]

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.1)
  })

  it('lets the higher digest count where there is no sequence number', () => {
    const readings = [readingAt(0, 1), readingAt(1, 1.1, { digest: 'c0ffee' }), readingAt(1, 1.4, { digest: 'bad' })]

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.1)
  })
})

describe('rule 2: an acceptable rise', () => {
  it('accepts a rise up to 1.2 times the highest power and the quantum', () => {
    expect(energyKwh(everyMinute(10, 10 + LIMIT_OF_A_MINUTE_KWH), PLAUSIBLE)).toBe(LIMIT_OF_A_MINUTE_KWH)
    expect(isPending(everyMinute(10, 10 + LIMIT_OF_A_MINUTE_KWH + 0.000_001), PLAUSIBLE)).toBe(true)
  })

  it('shares the energy of a gap, as an estimate', () => {
    const { stretches } = decideCounter([readingAt(0, 10), readingAt(6, 11)], PLAUSIBLE)

    expect(stretches).toMatchObject([{ consumedMws: 3_600_000_000, quality: 'estimated' }])
  })

  it('takes a fall within the quantum for jitter, however long it lasts', () => {
    const readings = everyMinute(10, 9.999, 9.999, 9.999, 9.9995, 10)

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0)
    expect(isPending(readings, PLAUSIBLE)).toBe(false)
  })

  it('does not count the same energy again and again where a count flickers', () => {
    const flicker = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 10 : 9.999))

    expect(energyKwh(everyMinute(...flicker, 10.001), PLAUSIBLE)).toBe(0.001)
  })
})

describe('rule 3: a rollover', () => {
  const rules = { ...HIGH_POWER, widthWh: 65_536_000 }

  it('needs a count above 90 % before and below 10 % after', () => {
    expect(energyKwh(everyMinute(65_535, 3), rules)).toBe(4)
    expect(isPending(everyMinute(58_000, 3), rules)).toBe(true)
    expect(isPending(everyMinute(65_535, 6_600), rules)).toBe(true)
  })

  it('needs the width to be known', () => {
    expect(isPending(everyMinute(65_535, 3))).toBe(true)
  })

  it('that would add more than the limit is a low level', () => {
    expect(isPending(everyMinute(65_535, 3), { ...PLAUSIBLE, widthWh: 65_536_000 })).toBe(true)
  })

  it('can follow a glitch', () => {
    expect(energyKwh(everyMinute(65_535, 1e9, 3, 4), rules)).toBe(5)
  })

  it('works for a counter of 32 bits in Wh', () => {
    const readings = [readingAt(0, 4_294_967.29), readingAt(1, 0.004)]

    expect(energyKwh(readings, { ...PLAUSIBLE, widthWh: 2 ** 32 })).toBeCloseTo(0.01, 9)
  })
})

describe('rule 4: another level', () => {
  it.each([
    [[10, 0]],
    [[10, 0, 0, 0]],
    [[10, 2]],
    [[10, 0, 2]],
    [[10, 3, 2]],
    [[10, 3, 3, 3]],
    [[10, 500, 500.1]],
    [[10, 500, 500, 500, 500]],
    [[10, 500, 3]],
  ])('is pending where the data ends with it, and adds nothing: %j', (counts) => {
    expect(energyKwh(everyMinute(...counts), PLAUSIBLE)).toBe(0)
    expect(isPending(everyMinute(...counts), PLAUSIBLE)).toBe(true)
  })

  it('was a glitch if the count comes back, however long it took', () => {
    const zeros = Array.from({ length: 500 }, () => 0)
    const { energyMws, stretches } = decideCounter(everyMinute(35.6, ...zeros, 35.6, 35.7), PLAUSIBLE)

    expect(kwhFromMws(energyMws)).toBe(0.1)
    expect(stretches).toMatchObject([{ quality: 'estimated' }, { quality: 'measured' }])
  })

  it('was a glitch if the count comes back to within a quantum', () => {
    expect(energyKwh(everyMinute(10, 3, 9.999, 10.001), PLAUSIBLE)).toBe(0.001)
  })

  it('gives way to a reading that more time brings within reach', () => {
    expect(energyKwh(everyMinute(10, 10.6, 10.7, 10.8), PLAUSIBLE)).toBe(0.8)
  })

  it('is high until two more readings have counted on it', () => {
    expect(energyKwh(everyMinute(10, 500, 500.1, 10.1), PLAUSIBLE)).toBe(0.1)
    expect(energyKwh(everyMinute(10, 500, 500.1, 500.2, 500.3), PLAUSIBLE)).toBe(0.3)
  })

  it('is believed when it has shown a quantum, however long that takes', () => {
    const standing = Array.from({ length: 300 }, () => 3)
    const { energyMws, stretches } = decideCounter(everyMinute(10, ...standing, 3.0005, 3.001), PLAUSIBLE)

    expect(kwhFromMws(energyMws)).toBe(0.001 + 3)
    expect(stretches).toEqual([
      { fromMs: 0, toMs: 60_000, consumedMws: 10_800_000_000, producedMws: 0, quality: 'measured' },
      { fromMs: 60_000, toMs: 18_000_000, consumedMws: 0, producedMws: 0, quality: 'measured' },
      { fromMs: 18_000_000, toMs: 18_060_000, consumedMws: 1_800_000, producedMws: 0, quality: 'measured' },
      { fromMs: 18_060_000, toMs: 18_120_000, consumedMws: 1_800_000, producedMws: 0, quality: 'measured' },
    ])
  })

  it('is not begun anew by jitter, which decides nothing', () => {
    expect(energyKwh(everyMinute(9, 7, 6.9995, 7.01), PLAUSIBLE)).toBe(0.01)
    expect(isPending(everyMinute(10, 500, 499.9995, 500.1), PLAUSIBLE)).toBe(true)
    expect(energyKwh(everyMinute(10, 500, 499.9995, 500.1, 500.2), PLAUSIBLE)).toBe(0.2)
  })

  it('is not parted by zeros', () => {
    expect(energyKwh(everyMinute(10, 500, 0, 500.1, 0, 0, 500.3), PLAUSIBLE)).toBe(0.3)
    expect(energyKwh(everyMinute(978.438, 1.15, 478.439, 0, 478.5, 0, 478.6), PLAUSIBLE)).toBe(0.161)
  })

  it('starts anew at a reading that cannot follow', () => {
    expect(energyKwh(everyMinute(10, 3, 2, 1, 1.1), PLAUSIBLE)).toBe(1.1)
    expect(energyKwh(everyMinute(10, 500, 700, 700.1, 700.2), PLAUSIBLE)).toBe(0.2)
    expect(energyKwh(everyMinute(10, 500, 0.3, 0.4), PLAUSIBLE)).toBe(0.4)
  })

  it('is a reset up to half of the count before it', () => {
    expect(energyKwh([readingAt(0, 4), readingAt(60, 2), readingAt(61, 2.1)], PLAUSIBLE)).toBe(2.1)
    expect(energyKwh([readingAt(0, 4), readingAt(60, 2.001), readingAt(61, 2.101)], PLAUSIBLE)).toBeCloseTo(0.1, 9)
  })

  it('is a reset only up to the limit over the time since the count before it', () => {
    expect(energyKwh(everyMinute(100, 0.9, 1.001), PLAUSIBLE)).toBe(1.001)
    expect(energyKwh(everyMinute(100, 0.9, 1.002), PLAUSIBLE)).toBe(0.102)
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

describe('a spike upon a low level', () => {
  it('is held beside it, and dropped where the counter goes on below', () => {
    expect(energyKwh(everyMinute(978.438, 1.15, 478.439, 1.2), PLAUSIBLE)).toBe(1.2)
    expect(energyKwh(everyMinute(10, 0, 0.1, 700, 0.2), PLAUSIBLE)).toBe(0.2)
    expect(energyKwh(everyMinute(978, 1.15, 478, 479, 3_000, 1.2), PLAUSIBLE)).toBe(1.2)
  })

  it('is dropped with the level where the count before comes back', () => {
    expect(energyKwh(everyMinute(978, 1.15, 478, 978.1), PLAUSIBLE)).toBe(0.1)
  })

  it('is dropped with the level where the count falls below it', () => {
    expect(energyKwh(everyMinute(978, 1.15, 478, 0.5, 0.6), PLAUSIBLE)).toBe(0.6)
  })

  it('is a zero point once two more readings have counted on it', () => {
    const readings = everyMinute(978.438, 7.439, 1.15, 478.439, 478.5, 478.6)

    expect(energyKwh(readings, PLAUSIBLE)).toBe(0.161)
    expect(missingMinutes(readings, PLAUSIBLE)).toBe(3)
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
