import { offsetsOf } from './time-zone.js'

/** The instant of a local time. */
export interface LocalInstant {
  /** Epoch milliseconds. */
  instantMs: number
  /** True where clocks showed the local time twice. */
  ambiguous: boolean
}

const LARGEST_OFFSET_MS = 16 * 3_600_000
const LOCAL_TIME = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?$/

/**
 * The instant of a local time without a zone, `YYYY-MM-DDTHH:mm[:ss[.fff]]`, read in a zone; undefined for text that is not
 * one. A time that is repeated is its earlier instant, or with `second` its later one, and ambiguous either way. A time that
 * is skipped is later by as much as is skipped, as in `java.time`. Fractions are cut to milliseconds.
 *
 * @throws RangeError if the zone is not known.
 */
export function instantOfLocalTime(
  text: string,
  timeZone: string,
  options: { second?: boolean | undefined } = {},
): LocalInstant | undefined {
  const zone = offsetsOf(timeZone)
  const localMs = parseLocalTime(text)
  if (localMs === undefined) return undefined
  const instants: number[] = []
  let sinceMs = localMs - LARGEST_OFFSET_MS
  let offsetMs = zone.offsetAt(sinceMs)
  let skippedToMs: number | undefined
  for (const change of zone.changesBetween(sinceMs, localMs + LARGEST_OFFSET_MS)) {
    const instantMs = localMs - offsetMs
    if (instantMs >= sinceMs && instantMs < change.atMs) instants.push(instantMs)
    if (instantMs >= change.atMs && localMs < change.atMs + change.offsetMs) skippedToMs = instantMs
    sinceMs = change.atMs
    offsetMs = change.offsetMs
  }
  if (localMs - offsetMs >= sinceMs) instants.push(localMs - offsetMs)
  const [first, later] = instants
  if (first !== undefined && later !== undefined) return { instantMs: options.second ? later : first, ambiguous: true }
  const instantMs = first ?? skippedToMs
  return instantMs === undefined ? undefined : { instantMs, ambiguous: false }
}

function parseLocalTime(text: string): number | undefined {
  const match = LOCAL_TIME.exec(text)
  if (match === null) return undefined
  const [, day = '', hour, minute, second = '00', fraction = ''] = match
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0')
  const localMs = Date.parse(`${day}T${hour}:${minute}:${second}.${milliseconds}Z`)
  // February 30 is no date, although some platforms read it as one in March.
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(day)) return undefined
  return localMs
}
