import type { LedgerEvent } from './entry.js'
import type { Appended } from './writer.js'

/** An event that waits to be written. */
export interface Pending {
  readonly event: LedgerEvent
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
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

  add(event: LedgerEvent): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject })
      if (this.#isRunning) return
      this.#isRunning = true
      setImmediate(() => void this.#run())
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSize)
      try {
        await this.#write(batch)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#isRunning = false
  }
}
