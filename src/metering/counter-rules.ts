import type { CounterLevel } from './counter-reading.js'

/** What is known of a counter and of the channel that it counts. */
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
  /** The most energy, in milliwatt-seconds, that can have been used between two instants. */
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
      // W × ms = mW·s. What is added never exceeds the limit, so capping it keeps every addition a safe integer.
      const limit = Math.round((12 * maximumPowerW * (toMs - fromMs)) / 10) + quantumMws
      return Math.min(limit, Number.MAX_SAFE_INTEGER)
    },
  }
}

/** Rule 2: whether the counter can have got from one level to the other, neither falling nor rising too fast. */
export function isAcceptable(from: CounterLevel, to: CounterLevel, bounds: CounterBounds): boolean {
  const differenceMws = to.energyMws - from.energyMws
  return differenceMws >= 0 && differenceMws <= bounds.limitMws(from.atMs, to.atMs)
}

/** What rule 4 adds where the counter ran over between the two levels, in milliwatt-seconds; else undefined. */
export function rolloverMws(from: CounterLevel, to: CounterLevel, bounds: CounterBounds): number | undefined {
  const { widthMws } = bounds
  if (widthMws === undefined || from.energyMws <= 0.9 * widthMws || to.energyMws >= 0.1 * widthMws) return undefined
  const addedMws = to.energyMws - from.energyMws + widthMws
  return addedMws >= 0 && addedMws <= bounds.limitMws(from.atMs, to.atMs) ? addedMws : undefined
}
