import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

export interface PeriodicOptions {
  /** Names the work in logs and in `volt.health()`, such as `roll-ups`. */
  readonly name: string
  /** How long it rests between two turns. */
  readonly everyMs: number
  /** One turn. The signal is aborted when the work is stopped. */
  readonly work: (signal: AbortSignal) => Promise<unknown>
}

/** Periodic status: how periodic work of this process is doing. */
export interface PeriodicStatus {
  readonly name: string
  readonly everyMs: number
  readonly startedAt: Date
  /** When a turn last ended well; null if none did. */
  readonly lastSuccessAt: Date | null
  /** What the last turn failed with; null if it ended well. */
  readonly lastError: string | null
  /** How many turns have failed since it was started. */
  readonly failures: number
}

/** The work that one handle does every so often, each in turns that never overlap. */
export class PeriodicWork {
  readonly #running = new Set<Running>()
  readonly #clock: Clock
  readonly #logger: Logger

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Begins with a rest. A turn that fails is logged, and the next one comes. @returns a function that stops it and waits for its turn to end. */
  start(options: PeriodicOptions): () => Promise<void> {
    const running = new Running(options, this.#clock, this.#logger)
    this.#running.add(running)
    return async () => {
      await running.stop()
      this.#running.delete(running)
    }
  }

  get isRunning(): boolean {
    return this.#running.size > 0
  }

  status(): PeriodicStatus[] {
    return [...this.#running].map((running) => running.status())
  }

  /** Stops all of it and waits for the turns that are under way. */
  async stop(): Promise<void> {
    const stopping = [...this.#running].map((running) => running.stop())
    await Promise.all(stopping)
    this.#running.clear()
  }
}

class Running {
  readonly #options: PeriodicOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stopping = new AbortController()
  readonly #startedAt: Date
  readonly #ended: Promise<void>
  #lastSuccessAt: Date | null = null
  #lastError: string | null = null
  #failures = 0

  constructor(options: PeriodicOptions, clock: Clock, logger: Logger) {
    this.#options = options
    this.#clock = clock
    this.#logger = logger
    this.#startedAt = clock.now()
    this.#ended = this.#run()
  }

  status(): PeriodicStatus {
    const { name, everyMs } = this.#options
    return {
      name,
      everyMs,
      startedAt: this.#startedAt,
      lastSuccessAt: this.#lastSuccessAt,
      lastError: this.#lastError,
      failures: this.#failures,
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await sleep(this.#options.everyMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (!signal.aborted) await this.#turn(signal)
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { name, work } = this.#options
    try {
      await work(signal)
      this.#lastSuccessAt = this.#clock.now()
      this.#lastError = null
    } catch (error) {
      this.#failures += 1
      this.#lastError = error instanceof Error ? error.message : String(error)
      this.#logger.warn({ work: name, reason: this.#lastError }, 'periodic work failed')
    }
  }
}
