import type { CounterReading, CounterRules } from '../../src/metering/index.js'

const MWS_PER_WH = 3_600_000
const MINUTE_MS = 60_000
/** 0xFFFFFFFF, as a counter in Wh shows it. */
const ALL_ONES_WH = 4_294_967_295
/** A count that falls to about half or less, and could have been used since, looks like a reset: nobody can tell the two apart. */
const LEAST_SHARE = 0.6
/** What one fault leaves open is decided before the next one: garbage after garbage can look like a counter that counts. */
const RISES_BETWEEN_FAULTS = 5
const RULES: Omit<CounterRules, 'quantumWh'> = { maximumPowerW: 25_000 }

const kinds = ['reset', 'older', 'zeros', 'ones', 'jitter', 'glitch', 'lost', 'backwards'] as const
type Fault = (typeof kinds)[number]

/** A meter whose use is known, and what it showed. */
export interface SimulatedCounter {
  readonly rules: CounterRules
  readonly readings: readonly CounterReading[]
  /** What was truly used from the first reading up to an instant, mW·s. */
  usedUntil(atMs: number): number
  readonly faults: number
  /** Time after which the meter went on from another count than the one that it had: from one reading to the next. */
  readonly jumps: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** The same numbers for the same seed, 0 to 1. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Some days of a meter that is read every few minutes: what it truly uses, and what it shows with the faults of the field. A fault comes
 * about once in so many readings. The first reading is right.
 */
export function simulateCounter(seed: number, days: number, readingsPerFault: number): SimulatedCounter {
  const random = randomOf(seed)
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const one = <T>(values: readonly T[]) => values[whole(0, values.length - 1)] as T

  const quantumMws = one([0, 0.01, 1, 10]) * MWS_PER_WH
  const periodMs = one([1, 1, 5, 10]) * MINUTE_MS
  const gapLimitMs = 3 * periodMs
  const used: { atMs: number; mws: number }[] = []
  const saved: number[] = []
  const readings: CounterReading[] = []
  const jumps: { fromMs: number; toMs: number }[] = []
  let usedMws = 0
  /** The count, and what it was when the last fault began. */
  let countMws = whole(0, 5_000_000) * MWS_PER_WH
  let beforeMws = countMws
  let powerW = 0
  let faults = 0
  let showing: { fault: Fault; left: number } | undefined
  let [lastShownMs, hasJumped] = [0, false]
  /** The last count that was shown rightly, and how often it has risen since the last fault. */
  let [rightMws, rises] = [0, 0]

  for (let atMs = 0; atMs < days * 86_400_000; atMs += periodMs) {
    if (random() < 0.05) powerW = one([0, 0, 3, 60, 900, 3_000, 11_000]) * random()
    if (showing === undefined && rises >= RISES_BETWEEN_FAULTS && random() < 1 / readingsPerFault) {
      showing = { fault: one(kinds), left: 1 }
      rises = 0
      beforeMws = countMws
      faults += 1
      if (['zeros', 'ones', 'lost', 'backwards'].includes(showing.fault)) showing.left = whole(1, 12)
    }
    const fault = showing?.fault
    const energyMws = atMs === 0 ? 0 : Math.round(powerW * periodMs)
    // It feeds back what its load would have used.
    if (fault === 'backwards') {
      countMws = Math.max(Math.ceil(beforeMws * LEAST_SHARE), countMws - energyMws)
      hasJumped ||= countMws < beforeMws
    } else {
      usedMws += energyMws
      countMws += energyMws
    }
    if (fault === 'reset') {
      countMws = 0
      hasJumped = true
    }
    const older = saved[saved.length - whole(1, 120)]
    if (fault === 'older' && older !== undefined && older < countMws && older > countMws * LEAST_SHARE) {
      countMws = older
      hasJumped = true
    }
    saved.push(countMws)
    used.push({ atMs, mws: usedMws })
    const stepMws = Math.max(quantumMws, 1)
    const shownMws = Math.floor(countMws / stepMws) * stepMws
    if (fault === undefined && shownMws > rightMws) rises += 1
    rightMws = shownMws
    const energyWh = shownAs(fault, shownMws, quantumMws, random) / MWS_PER_WH
    if (fault !== 'lost') {
      readings.push({ atMs, energyWh, gapLimitMs })
      if (hasJumped) jumps.push({ fromMs: lastShownMs, toMs: atMs })
      ;[lastShownMs, hasJumped] = [atMs, false]
    }
    if (showing !== undefined) {
      showing.left -= 1
      if (showing.left === 0) showing = undefined
    }
  }
  return {
    rules: { ...RULES, quantumWh: quantumMws / MWS_PER_WH },
    readings,
    usedUntil: (atMs) => used.findLast((one) => one.atMs <= atMs)?.mws ?? 0,
    faults,
    jumps,
  }
}

function shownAs(fault: Fault | undefined, shownMws: number, quantumMws: number, random: () => number): number {
  if (fault === 'zeros') return 0
  if (fault === 'ones') return ALL_ONES_WH * MWS_PER_WH
  if (fault === 'jitter') return Math.max(0, shownMws - quantumMws)
  if (fault === 'glitch') return random() < 0.5 ? shownMws * random() : shownMws * (2 + random()) + 1e8 * MWS_PER_WH
  return shownMws
}
