/** Boot: what is known of a device's present run. */
export interface Boot {
  /** Names the run; stays as it is while the instant is refined. */
  readonly id: string
  /** When it started, epoch milliseconds, as well as it is known. */
  readonly startedMs: number
  /** The largest time since the start that was placed, ms, wraps included. */
  readonly runMs: number
}

/** When a message with a time since boot was sent, and in which run. */
export interface BootReading {
  readonly boot: Boot
  readonly atMs: number
  /** Milliseconds since the start, wraps included. */
  readonly runMs: number
  readonly isNewBoot: boolean
  /** Whether a message was placed before that the device sent later: this one was held up on its own, or comes again. */
  readonly isLate: boolean
  /** How far the instant may be wrong, ms. */
  readonly uncertaintyMs: number
}

/** `millis()` of an ESP32 starts again at zero after this long: 49.7 days. */
const wrapMs = 2 ** 32
/** A device that cannot send for longer is disconnected, and what it had to say is gone. */
const longestStallMs = 5 * 60_000
/** Over 49.7 days clocks of devices drift by some minutes. */
const wrapSlackMs = 10 * 60_000
/** Arrival and start of a run are known to within this. */
const slackMs = 15_000
/** Clocks of devices drift by up to 17 seconds a day. */
const driftPerMs = 2e-4
const networkMs = 500
/** Messages in a row that all seem to have been held up: then it is the clock that is late. */
const fewMessages = 3

/**
 * Places messages in time that carry only milliseconds since their device started. The start is the arrival of a message less
 * those milliseconds; a delay makes it seem later, a fast clock earlier, a slow one later again, so it is corrected in both
 * directions. A difference of estimates is never a restart: that takes a time since boot that is smaller than one before.
 */
export class BootClock {
  #boot: Boot | undefined
  /** The run before, of which a message may come again. */
  #previous: Boot | undefined
  /** By how much the last messages seem to have been held up. */
  #latenesses: number[] = []

  constructor(known: Boot | undefined) {
    this.#boot = known
  }

  get boot(): Boot | undefined {
    return this.#boot
  }

  /** What a time since boot is in the present run, if it is no restart; undefined before the first message. */
  inPresentRun(uptimeMs: number): { readonly boot: Boot; readonly runMs: number } | undefined {
    const boot = this.#boot
    return boot && { boot, runMs: Math.floor(boot.runMs / wrapMs) * wrapMs + uptimeMs }
  }

  /**
   * @param waitingSinceMs Since when messages may have been waiting for us: the arrival itself where nothing was held up.
   */
  read(uptimeMs: number, arrivalMs: number, waitingSinceMs: number): BootReading {
    const known = this.#boot
    if (known === undefined) return this.#start(uptimeMs, arrivalMs, false)
    // A message of an earlier run, replayed, says nothing about the present one.
    if (arrivalMs < known.startedMs - slackMs) return { ...startOf(uptimeMs, arrivalMs), isNewBoot: false }
    if (this.#isOfPrevious(known, uptimeMs, arrivalMs)) return this.#late(uptimeMs, arrivalMs)
    const runMs = runOf(known, uptimeMs, arrivalMs, waitingSinceMs)
    return runMs === undefined
      ? this.#start(uptimeMs, arrivalMs, true)
      : this.#goOn(known, runMs, arrivalMs, waitingSinceMs)
  }

  #start(uptimeMs: number, arrivalMs: number, isNewBoot: boolean): BootReading {
    const reading = { ...startOf(uptimeMs, arrivalMs), isNewBoot }
    this.#previous = this.#boot
    this.#boot = reading.boot
    this.#latenesses = []
    return reading
  }

  /** Whether the present run would have begun long before it did, and the one before has come so far. */
  #isOfPrevious({ startedMs }: Boot, uptimeMs: number, arrivalMs: number): boolean {
    const previous = this.#previous
    return previous !== undefined && arrivalMs - uptimeMs < startedMs - slackMs && uptimeMs <= previous.runMs
  }

  #late(uptimeMs: number, arrivalMs: number): BootReading {
    const boot = this.#previous ?? startOf(uptimeMs, arrivalMs).boot
    const atMs = Math.min(boot.startedMs + uptimeMs, arrivalMs)
    return { boot, atMs, runMs: uptimeMs, isNewBoot: false, isLate: true, uncertaintyMs: longestStallMs }
  }

  #goOn(known: Boot, runMs: number, arrivalMs: number, waitingSinceMs: number): BootReading {
    const sinceLastMs = Math.max(0, runMs - known.runMs)
    const startedMs = this.#correctedStart(known, runMs, arrivalMs, waitingSinceMs)
    const boot = { id: known.id, startedMs, runMs: Math.max(known.runMs, runMs) }
    this.#boot = boot
    return {
      boot,
      atMs: Math.min(startedMs + runMs, arrivalMs),
      runMs,
      isNewBoot: false,
      isLate: runMs < known.runMs,
      uncertaintyMs: networkMs + sinceLastMs * driftPerMs,
    }
  }

  #correctedStart(
    { startedMs, runMs: lastRunMs }: Boot,
    runMs: number,
    arrivalMs: number,
    waitingSinceMs: number,
  ): number {
    const latenessMs = arrivalMs - runMs - startedMs
    // No message arrives before it is sent.
    if (latenessMs <= 0) {
      this.#latenesses = []
      return startedMs + latenessMs
    }
    if (runMs <= lastRunMs) return startedMs
    const isHeldUp = waitingSinceMs < arrivalMs
    const longestMs = arrivalMs - Math.min(waitingSinceMs, arrivalMs) + longestStallMs
    if (latenessMs > longestMs) return startedMs + latenessMs
    if (isHeldUp) return startedMs
    if (latenessMs <= (runMs - lastRunMs) * driftPerMs) return startedMs + latenessMs
    this.#latenesses = [...this.#latenesses, latenessMs].slice(-fewMessages)
    if (this.#latenesses.length < fewMessages) return startedMs
    const excessMs = Math.min(...this.#latenesses)
    this.#latenesses = this.#latenesses.map((each) => each - excessMs)
    return startedMs + excessMs
  }
}

function startOf(uptimeMs: number, arrivalMs: number): Omit<BootReading, 'isNewBoot'> {
  const startedMs = arrivalMs - uptimeMs
  const boot = { id: `b${Math.round(startedMs).toString(36)}`, startedMs, runMs: uptimeMs }
  return { boot, atMs: arrivalMs, runMs: uptimeMs, isLate: false, uncertaintyMs: longestStallMs }
}

/** The milliseconds since the start of the run that is known, wraps included; undefined if the device has started again. */
function runOf(
  { startedMs, runMs: lastRunMs }: Boot,
  uptimeMs: number,
  arrivalMs: number,
  waitingSinceMs: number,
): number | undefined {
  const inThisRound = Math.floor(lastRunMs / wrapMs) * wrapMs + uptimeMs
  const rounds = Math.round((arrivalMs - startedMs - inThisRound) / wrapMs)
  if (inThisRound >= lastRunMs) return inThisRound + Math.max(0, rounds) * wrapMs
  const wrapped = inThisRound + Math.max(1, rounds) * wrapMs
  const wrappedAtMs = startedMs + wrapped
  const couldBeSentMs = Math.min(waitingSinceMs, arrivalMs) - wrapSlackMs
  if (wrappedAtMs >= couldBeSentMs && wrappedAtMs <= arrivalMs + wrapSlackMs) return wrapped
  // It cannot have started before it sent what is placed already.
  const couldHaveStartedAgain = arrivalMs - uptimeMs >= startedMs + lastRunMs - slackMs
  return couldHaveStartedAgain ? undefined : inThisRound
}
