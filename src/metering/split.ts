import type { EnergyStretch } from './stretch.js'

interface Share {
  index: number
  wholeMws: number
  /** What was cut off, in parts of the whole duration: comparable between shares. */
  remainder: number
}

/**
 * Cuts a stretch at the given instants (epoch milliseconds, in any order; those not inside it do nothing). Energy goes to
 * the parts by their time, in whole milliwatt-seconds that add up to the stretch exactly: what is left over after rounding
 * down goes to the largest remainders, of equal ones to the earliest. Cut once with all the cuts: cutting the parts again
 * can place single milliwatt-seconds elsewhere.
 *
 * @throws RangeError if an instant is not a whole number of milliseconds.
 */
export function splitStretch(stretch: EnergyStretch, cutsMs: readonly number[]): EnergyStretch[] {
  const bounds = boundsOf(stretch, cutsMs)
  if (bounds.length <= 2) return [stretch]
  const durations = bounds.slice(1).map((bound, index) => bound - (bounds[index] ?? bound))
  const consumed = apportion(stretch.consumedMws, durations)
  const produced = apportion(stretch.producedMws, durations)
  let fromMs = stretch.fromMs
  return durations.map((durationMs, index) => {
    const part = {
      fromMs,
      toMs: fromMs + durationMs,
      consumedMws: consumed[index] ?? 0,
      producedMws: produced[index] ?? 0,
      quality: stretch.quality,
    }
    fromMs = part.toMs
    return part
  })
}

function boundsOf({ fromMs, toMs }: EnergyStretch, cutsMs: readonly number[]): number[] {
  const inside = new Set(cutsMs.filter((cutMs) => cutMs > fromMs && cutMs < toMs))
  return [fromMs, ...[...inside].sort((a, b) => a - b), toMs]
}

function apportion(energyMws: number, durationsMs: readonly number[]): number[] {
  if (energyMws === 0) return durationsMs.map(() => 0)
  const wholeMs = durationsMs.reduce((sum, durationMs) => sum + durationMs, 0)
  const shares = durationsMs.map((durationMs, index) => shareOf(energyMws, durationMs, wholeMs, index))
  const parts = shares.map((share) => share.wholeMws)
  const left = energyMws - parts.reduce((sum, part) => sum + part, 0)
  const favoured = shares.sort((a, b) => b.remainder - a.remainder || a.index - b.index).slice(0, left)
  for (const { index, wholeMws } of favoured) parts[index] = wholeMws + 1
  return parts
}

function shareOf(energyMws: number, durationMs: number, wholeMs: number, index: number): Share {
  const product = energyMws * durationMs
  if (Number.isSafeInteger(product)) {
    const remainder = product % wholeMs
    return { index, wholeMws: (product - remainder) / wholeMs, remainder }
  }
  const exact = BigInt(energyMws) * BigInt(durationMs)
  const remainder = Number(exact % BigInt(wholeMs))
  return { index, wholeMws: Number(exact / BigInt(wholeMs)), remainder }
}
