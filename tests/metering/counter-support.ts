import fc from 'fast-check'
import type { CounterReading, CounterRules } from '../../src/metering/index.js'

/** Counter readings in kWh, a minute apart. */
export function everyMinute(...energiesKwh: number[]): CounterReading[] {
  return energiesKwh.map((energyKwh, minute) => readingAt(minute, energyKwh))
}

export function readingAt(minute: number, energyKwh: number, more: Partial<CounterReading> = {}): CounterReading {
  return { atMs: minute * 60_000, energyWh: energyKwh * 1_000, gapLimitMs: 300_000, ...more }
}

/** So much power that no rise of the examples is too fast. */
export const HIGH_POWER: CounterRules = { quantumWh: 1, maximumPowerW: 100_000_000 }

/** Rules under which small whole numbers of Wh, a minute apart, meet every case: up to 4 Wh and the quantum a minute. */
export const smallRules: fc.Arbitrary<CounterRules> = fc.record({
  quantumWh: fc.constantFrom(0, 1, 2),
  maximumPowerW: fc.constantFrom(50, 100, 200),
  widthWh: fc.constantFrom(undefined, 32),
})

/** Readings with small counts and irregular times, some of them at the same time, repeated or contested. */
export const smallReadings = (maxLength: number): fc.Arbitrary<CounterReading[]> =>
  fc
    .array(
      fc.record({
        minute: fc.nat({ max: maxLength * 2 }),
        energyWh: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 5, arbitrary: fc.nat({ max: 32 }) }),
        sequence: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
        digest: fc.option(fc.constantFrom('aa', 'bb'), { nil: undefined }),
      }),
      { maxLength },
    )
    .map((rows) => rows.map(({ minute, energyWh, ...order }) => readingAt(minute, energyWh / 1_000, order)))

type Step = { wait: number; kind: 'use' | 'zero' | 'jitter' | 'jump' | 'older' | 'reset' | 'stand'; amount: number }

const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.integer({ min: 1, max: 4 }),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Step['kind']>('use') },
    { weight: 1, arbitrary: fc.constantFrom<Step['kind']>('zero', 'jitter', 'jump', 'older', 'reset', 'stand') },
  ),
  amount: fc.nat({ max: 5 }),
})

/** The readings of a counter that mostly counts, and now and then shows a zero, flickers, jumps, falls back or starts again. */
export const deviceReadings = (maxLength: number): fc.Arbitrary<CounterReading[]> =>
  fc.array(step, { maxLength, size: 'max' }).map((steps) => {
    let minute = 0
    let energyWh = 10
    return steps.map(({ wait, kind, amount }) => {
      minute += wait
      if (kind === 'reset') energyWh = 0
      if (kind === 'older') energyWh = Math.max(0, energyWh - amount)
      if (kind === 'use' || kind === 'reset') energyWh += amount
      const shownWh = { zero: 0, jitter: Math.max(0, energyWh - 1), jump: energyWh * 3 + amount }[kind as string]
      return readingAt(minute, (shownWh ?? energyWh) / 1_000)
    })
  })
