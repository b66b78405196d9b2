import { DEFAULT_EARLIEST_CREDIBLE_MS, latestCredibleMs } from '../../../metering/index.js'
import { dateOf } from './values.js'

/**
 * Why nothing can have been at that instant, as the library judges clocks of devices: it is before 2020, which is a clock that was not
 * set, or more than five minutes ahead of now; undefined where it can.
 * @param nowMs Epoch milliseconds; whatever is in the origin has arrived by then.
 */
export function whyNotCredible(at: Date, nowMs: number): string | undefined {
  if (at.getTime() < DEFAULT_EARLIEST_CREDIBLE_MS) return 'its time is before 2020: a clock that was not set'
  return at.getTime() > latestCredibleMs(nowMs) ? 'its time is still to come: a clock that was wrong' : undefined
}

/** A time that can be; undefined for anything else. */
export function credibleDateOf(value: unknown, nowMs: number): Date | undefined {
  const at = dateOf(value)
  return at === undefined || whyNotCredible(at, nowMs) !== undefined ? undefined : at
}

/** The times that are credible, as a condition of MongoDB. */
export function credibleTimes(nowMs: number) {
  return { $gte: new Date(DEFAULT_EARLIEST_CREDIBLE_MS), $lte: new Date(latestCredibleMs(nowMs)) }
}
