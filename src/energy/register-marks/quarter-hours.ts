/** Quarter hours are those of UTC, whatever the zone of a site: the hours and days of all zones of today begin at one of them. */
export const quarterMs = 900_000

/** The start of the quarter hour that an instant is in, epoch milliseconds. */
export function quarterOf(atMs: number): number {
  return Math.floor(atMs / quarterMs) * quarterMs
}

/** The starts of quarter hours within a range, without its ends. */
export function quartersWithin(fromMs: number, toMs: number): number[] {
  const starts: number[] = []
  for (let at = quarterOf(fromMs) + quarterMs; at < toMs; at += quarterMs) starts.push(at)
  return starts
}
