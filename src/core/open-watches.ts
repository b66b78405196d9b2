import type { MongoClient } from 'mongodb'
import type { Notice } from './self-check/notice.js'

/** What is to be left for the work beside the change streams. */
const wantedConnections = 3

/** Open watches: the change streams of a handle. Each has a connection of the pool to itself, for as long as it waits. */
export class OpenWatches {
  #count = 0

  /** Counts a change stream. @returns a function that is called when it has ended. */
  open(): () => void {
    this.#count += 1
    let isOpen = true
    return () => {
      if (isOpen) this.#count -= 1
      isOpen = false
    }
  }

  /** Where they leave too few connections every call waits for one: nothing fails, and all is slow. */
  notice({ options: { maxPoolSize } }: MongoClient): Notice | undefined {
    // Zero stands for no limit.
    if (maxPoolSize === 0 || maxPoolSize - this.#count >= wantedConnections) return undefined
    const message = `${this.#count} change streams wait for changes, each with a connection to itself, and the pool has ${maxPoolSize}: other calls wait for one. Open the handle with a larger maxPoolSize, or watch with fewer streams`
    return { code: 'FEW_CONNECTIONS', message, completeUntil: null }
  }
}
