import type { LedgerEntry, LedgerEvent } from './entry.js'
import type { Pending } from './lane.js'

/** What became of an event. */
export interface Appended {
  readonly entry: LedgerEntry
  /** False if an entry with the same idempotency key was there already. */
  readonly isNew: boolean
}

/** The events of one call of `append`, which may go different ways; the call ends when all of them have arrived. */
export class AppendCall {
  readonly #appended: Appended[]
  readonly #resolve: (appended: Appended[]) => void
  readonly #reject: (error: unknown) => void
  #open: number

  constructor(count: number, resolve: (appended: Appended[]) => void, reject: (error: unknown) => void) {
    this.#appended = new Array(count)
    this.#open = count
    this.#resolve = resolve
    this.#reject = reject
  }

  /** The call's event at this position, to be settled once. */
  pending(event: LedgerEvent, position: number): Pending {
    return {
      event,
      chain: event.switchId.toHexString(),
      settle: (appended) => {
        this.#appended[position] = appended
        this.#open -= 1
        if (this.#open === 0) this.#resolve(this.#appended)
      },
      fail: (error) => this.#reject(error),
    }
  }
}
