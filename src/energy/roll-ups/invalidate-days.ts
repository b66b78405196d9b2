import type { AnalyticsCache } from '../cache/analytics-cache.js'
import type { DeviceDay } from './roll-up-store.js'

/** More ids than these are not listed: then whatever depends on the days goes. */
const mostListed = 1000

/** Removes from the cache what depends on days that have changed, whosever they are between the first and the last. */
export async function invalidateDays(cache: AnalyticsCache, days: readonly DeviceDay[]): Promise<void> {
  const dates = days.map(({ date }) => date).sort()
  const [fromDay, toDay] = [dates[0], dates.at(-1)]
  if (fromDay === undefined || toDay === undefined) return
  const classrooms = unique(days.map(({ classroom }) => classroom.toHexString()))
  const devices = unique(days.map(({ deviceId }) => deviceId.toHexString()))
  await cache.invalidate({
    fromDay,
    toDay,
    ...(classrooms.length <= mostListed && { classrooms }),
    ...(devices.length <= mostListed && { devices }),
  })
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}
