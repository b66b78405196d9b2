import type { CounterPoint } from './counter-reading.js'

/** Counter rules: what is known of a counter and of the channel that it counts. */
export interface CounterRules {
  /** The counter's smallest step, in watt-hours. */
  quantumWh: number
  /** The highest plausible power of the channel, in watts; see {@link DEFAULT_MAXIMUM_POWER_W}. */
  maximumPowerW: number
  /** The value at which the counter starts again from zero, in watt-hours, where it is known. */
  widthWh?: number | undefined
}

/** The highest plausible power of a channel where none is set, in watts. */
export const DEFAULT_MAXIMUM_POWER_W = 25_000

/** The rules in milliwatt-seconds. */
export interface CounterBounds {
  readonly quantumMws: number
  readonly widthMws: number | undefined
  /** The most energy, in milliwatt-seconds, that can have been used between two instants: a test, never an amount. */
  limitMws(fromMs: number, toMs: number): number
}

const MWS_PER_WH = 3_600_000

/**
 * The rules in milliwatt-seconds.
 *
 * @throws RangeError if the quantum is negative, the power is not positive, or the width not more than ten quanta.
 */
export function counterBounds({ quantumWh, maximumPowerW, widthWh }: CounterRules): CounterBounds {
  if (!(quantumWh >= 0)) throw new RangeError(`A counter's quantum cannot be ${quantumWh} Wh`)
  if (!(maximumPowerW > 0)) throw new RangeError(`A channel's maximum power cannot be ${maximumPowerW} W`)
  if (widthWh !== undefined && !(widthWh > 10 * quantumWh)) {
    throw new RangeError(`A counter of ${quantumWh} Wh steps cannot be ${widthWh} Wh wide`)
  }
  const quantumMws = Math.round(quantumWh * MWS_PER_WH)
  return {
    quantumMws,
    widthMws: widthWh === undefined ? undefined : Math.round(widthWh * MWS_PER_WH),
    limitMws: (fromMs, toMs) => {
      // W × ms = mW·s. Nothing above the limit is added, so this bound keeps every addition a safe integer.
      const limit = Math.round((12 * maximumPowerW * (toMs - fromMs)) / 10) + quantumMws
      return Math.min(limit, Number.MAX_SAFE_INTEGER)
    },
  }
}

/**
 * Rule 2: what the counter counted from one point to the next, in milliwatt-seconds; 0 for jitter, a fall of at most a
 * quantum. Undefined if it cannot have got from one to the other, falling further or rising too fast.
 */
export function countedMws(from: CounterPoint, to: CounterPoint, bounds: CounterBounds): number | undefined {
  const differenceMws = to.energyMws - from.energyMws
  if (differenceMws < 0) return differenceMws >= -bounds.quantumMws ? 0 : undefined
  return differenceMws <= bounds.limitMws(from.atMs, to.atMs) ? differenceMws : undefined
}

/** Rule 3: what the counter counted if it started again from zero between the two points, at its width. */
export function rolledOverMws(from: CounterPoint, to: CounterPoint, bounds: CounterBounds): number | undefined {
  const { widthMws } = bounds
  if (widthMws === undefined || from.energyMws <= 0.9 * widthMws || to.energyMws >= 0.1 * widthMws) return undefined
  const addedMws = to.energyMws - from.energyMws + widthMws
  return addedMws >= 0 && addedMws <= bounds.limitMws(from.atMs, to.atMs) ? addedMws : undefined
}
