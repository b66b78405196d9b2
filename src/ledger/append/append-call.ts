import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'

/** Appended: what became of an event. */
export interface Appended {
  readonly entry: LedgerEntry
  /** False if an entry with the same idempotency key was there already. */
  readonly isNew: boolean
}

/** An event that waits to be written. */
export interface Pending {
  readonly event: LedgerEvent
  /** The id of its chain. */
  readonly chain: string
  /** Whether its call has failed already, so that nobody waits for it. */
  readonly isGivenUp: boolean
  settle(appended: Appended): void
  fail(error: unknown): void
}

/** The events of one call of `append`, which may go different ways; the call ends when all of them have arrived. */
export class AppendCall {
  readonly #appended: Appended[]
  readonly #resolve: (appended: Appended[]) => void
  readonly #reject: (error: unknown) => void
  #open: number
  #hasFailed = false

  constructor(count: number, resolve: (appended: Appended[]) => void, reject: (error: unknown) => void) {
    this.#appended = new Array(count)
    this.#open = count
    this.#resolve = resolve
    this.#reject = reject
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  settle(position: number, appended: Appended): void {
    this.#appended[position] = appended
    this.#open -= 1
    if (this.#open === 0) this.#resolve(this.#appended)
  }

  fail(error: unknown): void {
    this.#hasFailed = true
    this.#reject(error)
  }
}

/** The event of a call at a position; to be settled once. */
export class PendingEvent implements Pending {
  readonly chain: string
  readonly event: LedgerEvent
  readonly #call: AppendCall
  readonly #position: number

  constructor(call: AppendCall, event: LedgerEvent, position: number) {
    this.chain = event.switchId.toHexString()
    this.event = event
    this.#call = call
    this.#position = position
  }

  get isGivenUp(): boolean {
    return this.#call.hasFailed
  }

  settle(appended: Appended): void {
    this.#call.settle(this.#position, appended)
  }

  fail(error: unknown): void {
    this.#call.fail(error)
  }
}
