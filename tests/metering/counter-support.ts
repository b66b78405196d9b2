import fc from 'fast-check'
import type { CounterReading, CounterRules } from '../../src/metering/index.js'

const MWS_PER_WH = 3_600_000

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

type Step = { wait: number; kind: 'use' | 'zero' | 'jitter' | 'jump' | 'reset' | 'stand'; amount: number }

const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.integer({ min: 1, max: 4 }),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Step['kind']>('use') },
    { weight: 1, arbitrary: fc.constantFrom<Step['kind']>('zero', 'jitter', 'jump', 'reset', 'stand') },
  ),
  amount: fc.nat({ max: 5 }),
})

/** The readings of a counter that mostly counts, and now and then shows a zero, flickers, jumps or starts again. */
export const deviceReadings = (maxLength: number): fc.Arbitrary<CounterReading[]> =>
  fc.array(step, { maxLength, size: 'max' }).map((steps) => {
    let minute = 0
    let energyWh = 10
    return steps.map(({ wait, kind, amount }) => {
      minute += wait
      if (kind === 'reset') energyWh = 0
      if (kind === 'use' || kind === 'reset') energyWh += amount
      const shownWh = { zero: 0, jitter: Math.max(0, energyWh - 1), jump: energyWh * 3 + amount }[kind as string]
      return readingAt(minute, (shownWh ?? energyWh) / 1_000)
    })
  })

/**
 * The rules written down a second time, looking ahead over the whole list instead of keeping a state.
 * Readings are sorted and have distinct times.
 */
export function energyByLookingAhead(readings: CounterReading[], rules: CounterRules): number {
  type Level = { atMs: number; mws: number }
  const levels = readings.map(({ atMs, energyWh }): Level => ({ atMs, mws: Math.round(energyWh * MWS_PER_WH) }))
  const quantum = rules.quantumWh * MWS_PER_WH
  const width = (rules.widthWh ?? Number.NaN) * MWS_PER_WH
  const limit = (a: Level, b: Level) => Math.round(1.2 * rules.maximumPowerW * (b.atMs - a.atMs)) + quantum
  const acceptable = (a: Level, b: Level) => b.mws >= a.mws && b.mws - a.mws <= limit(a, b)
  const fateOfSpike = (spike: Level, [first, second]: Level[]) => {
    if (first && !acceptable(spike, first)) return 'dropped'
    if (second && !acceptable(spike, second)) return 'dropped'
    return second ? 'confirmed' : 'open'
  }
  let last = levels[0]
  if (last === undefined) return 0
  let energy = 0
  let index = 1
  while (index < levels.length) {
    const level = levels[index]!
    if (level.mws >= last.mws) {
      const fate = acceptable(last, level) ? 'accepted' : fateOfSpike(level, levels.slice(index + 1))
      if (fate === 'open') return energy
      if (fate !== 'dropped') {
        energy += Math.min(level.mws - last.mws, limit(last, level))
        last = level
      }
      index += 1
    } else if (
      last.mws > 0.9 * width &&
      level.mws < 0.1 * width &&
      level.mws + width >= last.mws &&
      level.mws + width - last.mws <= limit(last, level)
    ) {
      energy += level.mws + width - last.mws
      last = level
      index += 1
    } else if (level.mws > 0 && level.mws >= last.mws - quantum) {
      last = { atMs: level.atMs, mws: last.mws }
      index += 1
    } else {
      const end = endOfLowRun(last, index)
      if (end === undefined) return energy
      energy += end.energy
      last = end.last
      index = end.next
    }
  }
  return energy

  function endOfLowRun(before: Level, from: number) {
    let base: Level | undefined
    for (let at = from; at < levels.length; at += 1) {
      const level = levels[at]!
      if (level.mws === 0) continue
      const next = at + 1
      const isBack = level.mws >= before.mws - quantum
      const isTooFast =
        level.mws >= before.mws
          ? !acceptable(before, level)
          : !isBack && base && level.mws >= base.mws && !acceptable(base, level)
      if (isTooFast) {
        const following = levels.slice(next).filter(({ mws }) => mws > 0)
        const fate = fateOfSpike(level, following)
        if (fate === 'open') return undefined
        // The zeros before the reading that decided are of this low run, whatever becomes of the readings between them.
        const decisive = following[following[0] && acceptable(level, following[0]) ? 1 : 0]!
        const between = levels.slice(next, levels.indexOf(decisive))
        levels.splice(next, between.length, ...between.filter(({ mws }) => mws > 0))
        if (fate === 'dropped') continue
        if (level.mws >= before.mws) return { energy: limit(before, level), last: level, next }
        base = level
      } else if (isBack) {
        const mws = Math.max(level.mws, before.mws)
        return { energy: mws - before.mws, last: { atMs: level.atMs, mws }, next }
      } else if (base === undefined || level.mws < base.mws) {
        base = level
      } else {
        return { energy: Math.min(level.mws, limit(before, level)), last: level, next }
      }
    }
    return undefined
  }
}
