import type { Database } from './database.js'

export interface BestEffortOptions<Item> {
  /** Names the work in logs. */
  readonly name: string
  /** Writes some items. What it throws is counted and logged, and the items are lost. */
  readonly write: (items: readonly Item[]) => Promise<unknown>
  /** How many items are written, and lost, together. */
  readonly atOnce: number
}

/** Best effort counts: what became of the items, since the start of this process. */
export interface BestEffortCounts {
  /** Items that were written. */
  readonly written: number
  /** Items that wait in memory. */
  readonly waiting: number
  /** Items for which there was no room: writing does not keep up. */
  readonly dropped: number
  /** Items whose write failed. */
  readonly failed: number
  /** Why the last write failed; null if it did not. */
  readonly lastError: string | null
}

const mostWaiting = 10_000

/**
 * Writes what may be lost, such as logs, beside the work that it reports: {@link add} neither fails nor waits. Memory is bounded; what
 * finds no room is counted. The end of the handle waits for what is left, as long as it waits for anything.
 */
export class BestEffort<Item> {
  readonly #database: Database
  readonly #options: BestEffortOptions<Item>
  #items: Item[] = []
  #writing: Promise<void> | undefined
  #written = 0
  #dropped = 0
  #failed = 0
  #lastError: string | null = null

  constructor(database: Database, options: BestEffortOptions<Item>) {
    this.#database = database
    this.#options = options
    database.beforeClose(() => this.#writing)
  }

  /** Has the item written soon; within a transaction once that has committed, and not if it does not. */
  add(item: Item): void {
    this.#database.transactions.afterCommit(() => {
      if (this.#items.length >= mostWaiting) this.#dropped += 1
      else this.#items.push(item)
      this.#writing ??= this.#database.transactions.outside(() => this.#writeAll())
    })
  }

  /** Waits until everything that was added is written or lost. */
  async settled(): Promise<void> {
    await this.#writing
  }

  counts(): BestEffortCounts {
    return {
      written: this.#written,
      waiting: this.#items.length,
      dropped: this.#dropped,
      failed: this.#failed,
      lastError: this.#lastError,
    }
  }

  async #writeAll(): Promise<void> {
    // What is added in the same turn goes in one write.
    await Promise.resolve()
    while (this.#items.length > 0) await this.#write(this.#items.splice(0, this.#options.atOnce))
    this.#writing = undefined
  }

  async #write(items: readonly Item[]): Promise<void> {
    try {
      await this.#options.write(items)
      this.#written += items.length
      this.#lastError = null
    } catch (error) {
      this.#failed += items.length
      this.#lastError = error instanceof Error ? error.message : String(error)
      this.#database.logger.warn({ work: this.#options.name, reason: this.#lastError }, 'best effort work failed')
    }
  }
}
