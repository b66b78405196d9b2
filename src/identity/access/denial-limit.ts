const windowMs = 60_000

/** How many denials of one user a process records in a minute. */
const recordedPerMinute = 60

/**
 * Bounds what a client that is denied again and again can add to the audit log. A process keeps a counter for each user who was
 * denied in the current minute.
 */
export class DenialLimit {
  readonly #counts = new Map<string, number>()
  #endsAtMs = Number.NEGATIVE_INFINITY

  /** Counts a denial. @returns whether it is recorded, as the last one of the minute, or not any more. */
  count(userId: string, nowMs = performance.now()): 'recorded' | 'last' | 'left out' {
    if (nowMs >= this.#endsAtMs) {
      this.#counts.clear()
      this.#endsAtMs = nowMs + windowMs
    }
    const count = (this.#counts.get(userId) ?? 0) + 1
    this.#counts.set(userId, count)
    if (count < recordedPerMinute) return 'recorded'
    return count === recordedPerMinute ? 'last' : 'left out'
  }
}
