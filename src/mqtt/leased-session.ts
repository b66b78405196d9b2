import type { Clock } from '../core/clock.js'
import type { Lease } from '../core/lease.js'
import type { Logger } from '../core/logger.js'
import { type Fault, Faults, latest } from './faults.js'
import type { MqttSession } from './session.js'

export interface LeasedSessionOptions {
  readonly lease: Lease
  /** How long the lease lasts without being renewed. */
  readonly durationMs: number
  /** Begins a session; `onLost` is to be called when it turns out to be another process's. */
  readonly open: (onLost: () => void) => Promise<MqttSession>
  readonly clock: Clock
  readonly logger: Logger
}

/** Session counts: what sessions have counted. */
export interface SessionCounts {
  readonly received: number
  readonly acknowledged: number
  readonly retries: number
}

/** An MQTT session that one process at a time may hold: the one that has the lease connects, the others stand by. */
export class LeasedSession {
  readonly #options: LeasedSessionOptions
  readonly #faults: Faults
  #session: MqttSession | undefined
  /** The holding that the session was opened in: what it knows is not true in a later one. */
  #fence = 0
  #ended: SessionCounts = { received: 0, acknowledged: 0, retries: 0 }
  #timer: NodeJS.Timeout | undefined
  #isStopping = false
  #beat: Promise<void> = Promise.resolve()
  #closing: Promise<void> = Promise.resolve()

  constructor(options: LeasedSessionOptions) {
    this.#options = options
    this.#faults = new Faults(options.clock, options.logger, options.lease.name)
  }

  /** The session, while this process holds it. */
  get session(): MqttSession | undefined {
    return this.#session
  }

  /** What is wrong now with the lease, or the session. */
  get lastFault(): Fault | null {
    return latest([this.#faults.last, this.#session?.lastFault])
  }

  /** Of all sessions so far. */
  get counts(): SessionCounts {
    return this.#session === undefined ? this.#ended : sum(this.#ended, this.#session)
  }

  /**
   * Takes the session if it is free, and from now on whenever it becomes free. A session that is taken now has to be
   * connected within the limit; one that is taken later has all the time in the world.
   * @throws DatabaseError if the broker refuses us or cannot be reached; then {@link stop} is still to be called.
   */
  async start(connectLimitMs: number): Promise<void> {
    this.#beat = this.#renew()
    await this.#beat
    this.#schedule()
    await this.#session?.connected(connectLimitMs)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    await this.#beat.catch(() => undefined)
    await this.#close()
    await this.#options.lease.release().catch((error: unknown) => this.#faults.met('lease', error))
  }

  #schedule(): void {
    if (this.#isStopping) return
    this.#timer = setTimeout(() => {
      this.#beat = this.#renew()
        .then(() => this.#faults.resolved('lease'))
        .catch((error: unknown) => this.#faults.met('lease', error))
        .then(() => this.#schedule())
    }, this.#options.durationMs / 3)
    this.#timer.unref()
  }

  /** Renews the lease, or takes it; a session without it, or of an earlier holding, is closed. */
  async #renew(): Promise<void> {
    const { lease, open } = this.#options
    const isHeld = await lease.acquire()
    if (!isHeld || this.#fence !== lease.fence) await this.#close()
    if (!isHeld || this.#session !== undefined || this.#isStopping) return
    // Two clients of one id would throw each other out.
    await this.#closing
    this.#fence = lease.fence
    this.#session = await open(() => void this.#close())
  }

  #close(): Promise<void> {
    const session = this.#session
    if (session === undefined) return this.#closing
    this.#session = undefined
    this.#closing = session
      .stop()
      .catch((error: unknown) => this.#faults.met('broker', error))
      .then(() => {
        this.#ended = sum(this.#ended, session)
      })
    return this.#closing
  }
}

function sum(one: SessionCounts, other: SessionCounts): SessionCounts {
  return {
    received: one.received + other.received,
    acknowledged: one.acknowledged + other.acknowledged,
    retries: one.retries + other.retries,
  }
}
