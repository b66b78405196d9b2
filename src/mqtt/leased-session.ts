import type { Lease } from '../core/lease.js'
import type { Logger } from '../core/logger.js'
import type { MqttSession } from './session.js'

/** An MQTT session that one process at a time may hold: the one that has the lease connects, the others stand by. */
export class LeasedSession {
  readonly #lease: Lease
  readonly #durationMs: number
  readonly #open: () => Promise<MqttSession>
  readonly #logger: Logger
  #session: MqttSession | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopping = false
  #beat: Promise<void> = Promise.resolve()

  constructor(lease: Lease, durationMs: number, open: () => Promise<MqttSession>, logger: Logger) {
    this.#lease = lease
    this.#durationMs = durationMs
    this.#open = open
    this.#logger = logger
  }

  /** The session, while this process holds it. */
  get session(): MqttSession | undefined {
    return this.#session
  }

  /** Takes the session if it is free, and from now on whenever it becomes free. @throws DatabaseError if the broker refuses us. */
  async start(): Promise<void> {
    await this.#tryOnce()
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    await this.#beat
    await this.#close()
    await this.#lease.release().catch((error: unknown) => this.#warn('the lease could not be released', error))
  }

  /** Leaves the session to others at once; used when the lease is found to be lost. */
  async stepBack(): Promise<void> {
    await this.#close()
  }

  #schedule(): void {
    if (this.#isStopping) return
    this.#timer = setTimeout(() => {
      this.#beat = this.#tryOnce()
        .catch((error: unknown) => this.#warn('the session could not be taken', error))
        .then(() => this.#schedule())
    }, this.#durationMs / 3)
    this.#timer.unref()
  }

  /** Renews the lease, or takes it; a session without a lease is closed. */
  async #tryOnce(): Promise<void> {
    const isHeld = await this.#lease.acquire()
    if (!isHeld) {
      await this.#close()
      return
    }
    if (this.#session === undefined && !this.#isStopping) this.#session = await this.#open()
  }

  async #close(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.stop()
  }

  #warn(message: string, error: unknown): void {
    this.#logger.warn(
      { lease: this.#lease.name, reason: error instanceof Error ? error.message : String(error) },
      message,
    )
  }
}
