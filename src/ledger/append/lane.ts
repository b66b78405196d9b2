/** Writes items in the order of their coming, as many at a time as have come while those before were being written. */
export class Lane<Item> {
  readonly #write: (batch: readonly Item[]) => Promise<void>
  readonly #batchSize: number
  #waiting: Item[] = []
  #isRunning = false

  /** @param write Must not throw: it has to tell whoever waits for an item itself. */
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
