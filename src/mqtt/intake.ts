import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '../core/errors.js'
import { settlesWithin } from '../core/settles-within.js'
import type { Budget } from '../ingestion/budget.js'
import type { DeliveredMessage } from '../ingestion/ordered-batch.js'

/** A message, and the connection that it came by: only there can it be acknowledged. */
export interface ReceivedMessage extends DeliveredMessage {
  /** The stream of the connection, to be compared only. */
  readonly connection: object
  /** Undefined for QoS 0, which is not acknowledged. */
  readonly packetId: number | undefined
}

export interface IntakeOptions {
  /** How many batches may be on their way at once. */
  readonly concurrency: number
  /** Messages of a batch at most. */
  readonly batchSize: number
  /** Makes a batch durable. */
  readonly process: (batch: readonly ReceivedMessage[]) => Promise<void>
  /** Called with each batch in the order of receipt; one that is not durable was given up. */
  readonly finished: (batch: readonly ReceivedMessage[], isDurable: boolean) => void
  /** Called with each attempt that failed. */
  readonly failed: (error: unknown) => void
}

/** Beyond these nothing more is let in. */
const maximumMessages = 8000
const maximumBytes = 32 * 1024 * 1024
const firstPauseMs = 100
const longestPauseMs = 5_000

/**
 * What is between the wire and the database, bounded in number and size. Messages go on in batches as soon as there is one;
 * batches may overlap, and end in the order of receipt.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #queue: ReceivedMessage[] = []
  /** Lets in the message that found no room. */
  #held: (() => void) | undefined
  #messages = 0
  #bytes = 0
  #running = 0
  #isPumping = false
  #turn: Promise<void> = Promise.resolve()
  /** When the first messages of the running batches came. */
  readonly #startedMs: number[] = []
  readonly #ending = new AbortController()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Messages that were let in and are not durable yet. */
  get pending(): number {
    return this.#messages
  }

  get budget(): Budget {
    return { bytes: this.#bytes, maximumBytes }
  }

  /** Whether a message waits for room. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  get isIdle(): boolean {
    return this.#messages === 0 && this.#held === undefined
  }

  /** How long the oldest message that is not durable yet has been here. */
  lagMs(nowMs: number): number {
    const oldestMs = this.#startedMs[0] ?? this.#queue[0]?.receivedAt.getTime()
    return oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs)
  }

  /** Lets the message in and then calls `next`, now or when there is room. @returns whether there was room. */
  offer(message: ReceivedMessage, next: () => void): boolean {
    if (this.#hasRoomFor(message)) {
      this.#letIn(message)
      next()
      return true
    }
    this.#held = () => {
      this.#letIn(message)
      next()
    }
    return false
  }

  /** Forgets the message that found no room: the connection that it came by is gone, and it will be sent again. */
  dropHeld(): void {
    this.#held = undefined
  }

  /**
   * Lets nothing more in, and waits for the batches that are on their way, but not longer than this: what hangs may still
   * become durable, and is not acknowledged.
   */
  async end(patienceMs: number): Promise<void> {
    this.#ending.abort()
    this.#held = undefined
    for (const message of this.#queue.splice(0)) this.#letOut(message)
    await settlesWithin(patienceMs, this.#turn)
  }

  #hasRoomFor({ topic, payload }: ReceivedMessage): boolean {
    if (this.#ending.signal.aborted) return false
    if (this.#messages === 0) return true
    return this.#messages < maximumMessages && this.#bytes + topic.length + payload.byteLength <= maximumBytes
  }

  #letIn(message: ReceivedMessage): void {
    this.#queue.push(message)
    this.#messages += 1
    this.#bytes += message.topic.length + message.payload.byteLength
    if (this.#isPumping || this.#running > 0) return
    // What comes with the same piece of the stream shares the batch.
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #letOut({ topic, payload }: ReceivedMessage): void {
    this.#messages -= 1
    this.#bytes -= topic.length + payload.byteLength
  }

  /** Starts batches as far as there is work and room. */
  #pump(): void {
    const { concurrency, batchSize } = this.#options
    while (!this.#ending.signal.aborted && this.#queue.length > 0 && this.#running < concurrency) {
      const batch = this.#queue.splice(0, batchSize)
      this.#running += 1
      this.#startedMs.push(batch[0]?.receivedAt.getTime() ?? 0)
      const durable = this.#makeDurable(batch)
      this.#turn = this.#turn.then(() => durable).then((isDurable) => this.#finish(batch, isDurable))
    }
  }

  /** Tries until it succeeds, or there is no more use in it. */
  async #makeDurable(batch: readonly ReceivedMessage[]): Promise<boolean> {
    for (let attempt = 0; !this.#ending.signal.aborted; attempt += 1) {
      try {
        await this.#options.process(batch)
        return true
      } catch (error) {
        this.#options.failed(error)
        if (error instanceof DatabaseError && error.code === 'LEASE_LOST') return false
        await this.#pause(Math.min(firstPauseMs * 2 ** Math.min(attempt, 10), longestPauseMs))
      }
    }
    return false
  }

  async #pause(durationMs: number): Promise<void> {
    await sleep(durationMs, undefined, { signal: this.#ending.signal, ref: false }).catch(() => undefined)
  }

  #finish(batch: readonly ReceivedMessage[], isDurable: boolean): void {
    this.#running -= 1
    this.#startedMs.shift()
    for (const message of batch) this.#letOut(message)
    this.#options.finished(batch, isDurable)
    if (this.#ending.signal.aborted) return
    if (this.#messages < maximumMessages / 2 && this.#bytes < maximumBytes / 2) this.#release()
    this.#pump()
  }

  #release(): void {
    const held = this.#held
    this.#held = undefined
    held?.()
  }
}
