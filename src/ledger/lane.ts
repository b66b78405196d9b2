import type { Appended } from './append-call.js'
import type { LedgerEvent } from './entry.js'

/** An event that waits to be written. */
export interface Pending {
  readonly event: LedgerEvent
  /** The id of its chain. */
  readonly chain: string
  settle(appended: Appended): void
  fail(error: unknown): void
}

const batchSize = 1000

/** Writes events in the order of their coming, as many at a time as have come while the batch before was being written. */
export class Lane {
  readonly #write: (batch: readonly Pending[]) => Promise<void>
  #waiting: Pending[] = []
  #isRunning = false

  constructor(write: (batch: readonly Pending[]) => Promise<void>) {
    this.#write = write
  }

  add(pending: Pending): void {
    this.#waiting.push(pending)
    if (this.#isRunning) return
    this.#isRunning = true
    // What is added in the same turn of the event loop shares the batch.
    setImmediate(() => void this.#run())
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.length <= batchSize ? this.#waiting : this.#waiting.slice(0, batchSize)
      this.#waiting = this.#waiting.length <= batchSize ? [] : this.#waiting.slice(batchSize)
      try {
        await this.#write(batch)
      } catch (error) {
        for (const pending of batch) pending.fail(error)
      }
    }
    this.#isRunning = false
  }
}
