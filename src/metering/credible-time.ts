/** The earliest time that a device's clock is believed by default: 2020-01-01 UTC, epoch milliseconds. */
export const DEFAULT_EARLIEST_CREDIBLE_MS = Date.UTC(2020, 0, 1)

const AHEAD_LIMIT_MS = 5 * 60_000

/** No device's clock is believed to be later than this when a message arrives, epoch milliseconds. */
export function latestCredibleMs(arrivalMs: number): number {
  return arrivalMs + AHEAD_LIMIT_MS
}

/** The time that counts for a reading. */
export interface CredibleTime {
  atMs: number
  /** True where the arrival stands in for the device's own time. */
  clockReplaced: boolean
}

/**
 * The time of a reading, epoch milliseconds: the device's, if it has one that is not before the earliest credible time and
 * not more than five minutes ahead of the arrival; else the arrival, flagged.
 */
export function credibleTime(times: {
  deviceTimeMs: number | undefined
  arrivalMs: number
  earliestMs?: number | undefined
}): CredibleTime {
  const { deviceTimeMs, arrivalMs, earliestMs = DEFAULT_EARLIEST_CREDIBLE_MS } = times
  const credible =
    deviceTimeMs !== undefined && deviceTimeMs >= earliestMs && deviceTimeMs <= latestCredibleMs(arrivalMs)
  return credible ? { atMs: deviceTimeMs, clockReplaced: false } : { atMs: arrivalMs, clockReplaced: true }
}
