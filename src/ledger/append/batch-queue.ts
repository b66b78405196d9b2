/** Writes items in the order of their arrival, in batches: each takes what arrived while the one before was being written. */
export class BatchQueue<Item> {
  readonly #write: (batch: readonly Item[]) => Promise<void>
  readonly #batchSize: number
  #waiting: Item[] = []
  #isRunning = false

  /** @param write Must not throw: it has to settle the promises of its items itself. */
  constructor(batchSize: number, write: (batch: readonly Item[]) => Promise<void>) {
    this.#batchSize = batchSize
    this.#write = write
  }

  add(item: Item): void {
    this.#waiting.push(item)
    if (this.#isRunning) return
    this.#isRunning = true
    // What is added in the same turn of the event loop shares the batch.
    setImmediate(() => void this.#run())
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, this.#batchSize))
    this.#isRunning = false
  }
}
