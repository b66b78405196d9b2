import type { CounterReading, CounterRules } from '../../src/metering/index.js'

interface Shown {
  readonly t: number
  readonly mws: number
}

/** How a level came out, and at which reading that was seen. */
type Fate =
  | { readonly is: 'glitch' | 'fall' | 'over'; readonly at: number }
  | { readonly is: 'believed'; readonly at: number; readonly first: Shown; readonly last: Shown }

/**
 * Rules 2 to 4 of "Deciding about counter readings" written down a second time, to compare with: it has the whole list, looks ahead in
 * it from each accepted reading, and asks the same question again about a spike upon a low level. The readings have distinct times.
 * @returns what is added, mW·s, and how many milliseconds are missing.
 */
export function referenceEnergy(readings: readonly CounterReading[], rules: CounterRules) {
  const shown = readings
    .map(({ atMs, energyWh }): Shown => ({ t: atMs, mws: Math.round(energyWh * 3_600_000) }))
    .sort((a, b) => a.t - b.t)
  const q = Math.round(rules.quantumWh * 3_600_000)
  const width = rules.widthWh === undefined ? undefined : Math.round(rules.widthWh * 3_600_000)
  const limit = (a: Shown, b: Shown) => Math.round((12 * rules.maximumPowerW * (b.t - a.t)) / 10) + q
  const rises = (a: Shown, b: Shown) => b.mws >= a.mws && b.mws <= a.mws + limit(a, b)
  const flickers = (a: Shown, b: Shown) => b.mws < a.mws && b.mws >= a.mws - q
  const rollsOver = (a: Shown, b: Shown) =>
    width !== undefined &&
    b.mws < a.mws &&
    a.mws > 0.9 * width &&
    b.mws < 0.1 * width &&
    rises(a, { t: b.t, mws: b.mws + width })

  const sum = { mws: 0, missingMs: 0, isPending: false }
  let accepted = shown[0]
  let next = 1
  while (accepted !== undefined && next < shown.length) {
    const c: Shown = accepted
    const after = shown[next]!
    if (isWithinReach(c, after)) {
      accepted = goOn(c, after)
      next += 1
      continue
    }
    const fate = fateOfLevel(c, next, (reading) => isWithinReach(c, reading))
    if (fate.is === 'over') return { ...sum, isPending: true }
    if (fate.is === 'believed') {
      const { first, last } = fate
      const isReset = first.mws <= c.mws / 2 && last.mws <= limit(c, last)
      sum.mws += isReset ? last.mws : last.mws - first.mws
      sum.missingMs += isReset ? 0 : first.t - c.t
      accepted = last
    } else accepted = goOn(c, shown[fate.at]!)
    next = fate.at + 1
  }
  return sum

  function isWithinReach(c: Shown, reading: Shown): boolean {
    return rises(c, reading) || flickers(c, reading) || rollsOver(c, reading)
  }

  function goOn(c: Shown, reading: Shown): Shown {
    if (flickers(c, reading)) return { t: reading.t, mws: c.mws }
    sum.mws += rollsOver(c, reading) ? reading.mws + width! - c.mws : reading.mws - c.mws
    return reading
  }

  /** What becomes of the level that the reading at `from` opens upon `under`. */
  function fateOfLevel(under: Shown, from: number, isBack: (reading: Shown) => boolean, isSpike = false): Fate {
    let level: { first: Shown; last: Shown; more: number } | undefined
    for (let at = from; at < shown.length; at += 1) {
      const reading = shown[at]!
      if (reading.mws === 0) continue
      if (isBack(reading)) return { is: 'glitch', at }
      if (isSpike && reading.mws < under.mws) return { is: 'fall', at }
      if (level !== undefined && flickers(level.last, reading)) {
        level.last = { t: reading.t, mws: level.last.mws }
        continue
      }
      const isLow = level !== undefined && level.first.mws < under.mws
      if (level === undefined || !rises(level.last, reading)) {
        if (level !== undefined && isLow && reading.mws > level.last.mws) {
          const { last } = level
          const isBackOnEither = (other: Shown) => isBack(other) || rises(last, other) || flickers(last, other)
          const spike = fateOfLevel(last, at, isBackOnEither, true)
          if (spike.is === 'over' || spike.is === 'believed') return spike
          // The reading that ended the spike is decided again, by the level alone.
          at = spike.at - 1
          if (spike.is === 'fall') level = undefined
          continue
        }
        level = { first: reading, last: reading, more: 0 }
        continue
      }
      level.last = reading
      level.more += 1
      const isEnough = level.more >= (isLow ? 1 : 2) && reading.mws - level.first.mws >= Math.max(q, 1)
      if (isEnough) return { is: 'believed', at, first: level.first, last: reading }
    }
    return { is: 'over', at: shown.length }
  }
}
