const DAY_MS = 86_400_000
const MOST_DAYS_KEPT = 20_000
const MOST_ZONES_KEPT = 1_000

/** A change of a zone's offset: from this instant on, local time is ahead of UTC by `offsetMs`. */
export interface OffsetChange {
  readonly atMs: number
  readonly offsetMs: number
}

/** The offsets of an IANA time zone. */
export interface TimeZoneOffsets {
  /** How far local time is ahead of UTC at an instant, in milliseconds. */
  offsetAt(instantMs: number): number
  /** The changes of the offset after `fromMs`, until and with `toMs`. */
  changesBetween(fromMs: number, toMs: number): OffsetChange[]
}

interface UtcDay {
  readonly offsetMs: number
  readonly changes: readonly OffsetChange[]
}

const zones = new Map<string, TimeZoneOffsets>()

/** Whether the text names an IANA time zone that this platform knows. */
export function isTimeZone(name: unknown): name is string {
  if (typeof name !== 'string') return false
  try {
    offsetsOf(name)
    return true
  } catch {
    return false
  }
}

/**
 * The offsets of a zone.
 *
 * @throws RangeError if the name is not that of an IANA time zone.
 */
export function offsetsOf(timeZone: string): TimeZoneOffsets {
  const known = zones.get(timeZone)
  if (known !== undefined) return known
  // Some platforms take fixed offsets such as `+05:30` for zones; IANA has none of those.
  if (!/^[a-z]/i.test(timeZone)) throw new RangeError(`${timeZone} is not an IANA time zone`)
  const zone = createOffsets(timeZone)
  if (zones.size >= MOST_ZONES_KEPT) zones.clear()
  zones.set(timeZone, zone)
  return zone
}

// Asking Intl takes microseconds, so it is asked once for each day of UTC (and about 27 times where the offset changes in
// the day). No zone has had a change and its exact reverse within one day, which is all that this would miss.
function createOffsets(timeZone: string): TimeZoneOffsets {
  const askIntl = offsetQuery(timeZone)
  const days = new Map<number, UtcDay>()
  return { offsetAt, changesBetween }

  function offsetAt(instantMs: number): number {
    const day = dayAt(Math.floor(instantMs / DAY_MS))
    let offsetMs = day.offsetMs
    for (const change of day.changes) {
      if (change.atMs <= instantMs) offsetMs = change.offsetMs
    }
    return offsetMs
  }

  function changesBetween(fromMs: number, toMs: number): OffsetChange[] {
    const found: OffsetChange[] = []
    for (let index = Math.floor(fromMs / DAY_MS); index * DAY_MS <= toMs; index += 1) {
      for (const change of dayAt(index).changes) {
        if (change.atMs > fromMs && change.atMs <= toMs) found.push(change)
      }
    }
    return found
  }

  function dayAt(index: number): UtcDay {
    const known = days.get(index)
    if (known !== undefined) return known
    const startMs = index * DAY_MS
    const offsetMs = askIntl(startMs - 1)
    const changes = findChanges(startMs - 1, offsetMs, startMs + DAY_MS - 1, askIntl(startMs + DAY_MS - 1))
    const day = { offsetMs, changes }
    if (days.size >= MOST_DAYS_KEPT) days.clear()
    days.set(index, day)
    return day
  }

  /** The changes after `fromMs`, until and with `toMs`. */
  function findChanges(fromMs: number, fromOffsetMs: number, toMs: number, toOffsetMs: number): OffsetChange[] {
    if (fromOffsetMs === toOffsetMs) return []
    if (toMs - fromMs === 1) return [{ atMs: toMs, offsetMs: toOffsetMs }]
    const middleMs = fromMs + Math.floor((toMs - fromMs) / 2)
    const middleOffsetMs = askIntl(middleMs)
    return [
      ...findChanges(fromMs, fromOffsetMs, middleMs, middleOffsetMs),
      ...findChanges(middleMs, middleOffsetMs, toMs, toOffsetMs),
    ]
  }
}

function offsetQuery(timeZone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instantMs) => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(instantMs)) parts[type] = Number(value)
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
    const localMs = Date.UTC(year, month - 1, day, hour, minute, second)
    return localMs - Math.floor(instantMs / 1_000) * 1_000
  }
}
