/** What rules do, looked up from the whole list of readings each time. It shares no code with the library. */
export interface NaiveReading {
  readonly atMs: number
  readonly value: number
  readonly isActive?: boolean
}

export interface NaiveLimits {
  readonly raiseAt: number
  readonly clearAt: number
  readonly holdMs: number
  readonly clearHoldMs: number
  readonly gapMs: number
}

export interface NaiveEvent {
  readonly event: 'open' | 'close'
  readonly atMs: number
}

export function naiveEvents(readings: readonly NaiveReading[], limits: NaiveLimits): NaiveEvent[] {
  const events: (NaiveEvent & { readonly place: number })[] = []
  for (const [place, { atMs }] of readings.entries()) {
    const isOpen = events.length % 2 === 1
    const fits = ({ value, isActive = true }: NaiveReading) =>
      isOpen ? value <= limits.clearAt : value >= limits.raiseAt && isActive
    const since = events.at(-1)?.place ?? -1
    // The unbroken run that ends here, and begins after the last event.
    let first = place + 1
    for (let at = place; at > since; at -= 1) {
      const [one, next] = [readings[at], readings[at + 1]]
      if (one === undefined || !fits(one)) break
      if (at < place && next !== undefined && next.atMs - one.atMs > limits.gapMs) break
      first = at
    }
    const start = readings[first]
    if (first > place || start === undefined) continue
    if (atMs - start.atMs >= (isOpen ? limits.clearHoldMs : limits.holdMs))
      events.push({ event: isOpen ? 'close' : 'open', atMs, place })
  }
  return events.map(({ event, atMs }) => ({ event, atMs }))
}
