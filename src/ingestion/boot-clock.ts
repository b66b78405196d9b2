/** What is known of a device's present run. */
export interface Boot {
  /** Names the run; stays as it is while the instant is refined. */
  readonly id: string
  /** When it started, epoch milliseconds, as well as it is known. */
  readonly startedMs: number
}

/** When a message with a time since boot was sent, and in which run. */
export interface BootReading {
  readonly boot: Boot
  readonly atMs: number
  /** Milliseconds since the start, wraps included. */
  readonly runMs: number
  readonly isNewBoot: boolean
}

/** `millis()` of an ESP32 starts again at zero after this long: 49.7 days. */
const wrapMs = 2 ** 32
/** Differences below this are delays and drift, not restarts. */
const toleranceMs = 15_000
/** How much of a later estimate is taken over: clocks of devices drift by some seconds a day. */
const driftShare = 0.02

/**
 * Places a message in time that carries only milliseconds since its device started. The device's start is the arrival less
 * those milliseconds, smoothed; where it lies clearly later than the one known, the device has started again.
 * @param heardSinceMs Since when messages may have been waiting for us: one that was held up while nobody listened must not
 * pass for a restart. The arrival itself where nothing was held up.
 */
export function readBootClock(
  known: Boot | undefined,
  uptimeMs: number,
  arrivalMs: number,
  heardSinceMs: number,
): BootReading {
  const same = known && inSameBoot(known, uptimeMs, arrivalMs, heardSinceMs)
  if (known === undefined || same === undefined) {
    const startedMs = arrivalMs - uptimeMs
    const boot = { id: `b${Math.round(startedMs).toString(36)}`, startedMs }
    return { boot, atMs: arrivalMs, runMs: uptimeMs, isNewBoot: known !== undefined && startedMs > known.startedMs }
  }
  const wasHeldUp = heardSinceMs < arrivalMs
  const boot = wasHeldUp ? known : { ...known, startedMs: refine(known.startedMs, arrivalMs - same.runMs) }
  return { boot, atMs: Math.min(boot.startedMs + same.runMs, arrivalMs), runMs: same.runMs, isNewBoot: false }
}

/** The milliseconds since the known start, wraps included, if the message fits into that run. */
function inSameBoot(
  known: Boot,
  uptimeMs: number,
  arrivalMs: number,
  heardSinceMs: number,
): { runMs: number } | undefined {
  const wraps = Math.max(0, Math.round((arrivalMs - known.startedMs - uptimeMs) / wrapMs))
  for (const count of wraps > 0 ? [wraps, wraps - 1] : [0]) {
    const runMs = uptimeMs + count * wrapMs
    const atMs = known.startedMs + runMs
    if (atMs >= Math.min(heardSinceMs, arrivalMs) - toleranceMs && atMs <= arrivalMs + toleranceMs) return { runMs }
  }
  return undefined
}

/** Delays only ever make an estimate later, so an earlier one is better; a later one counts a little, for drift. */
function refine(startedMs: number, estimateMs: number): number {
  return estimateMs < startedMs ? estimateMs : startedMs + (estimateMs - startedMs) * driftShare
}
