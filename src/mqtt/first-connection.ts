import type { DatabaseError } from '../core/errors.js'
import { within } from '../core/within.js'

/** How the first attempt to connect ended: it was made, or refused for good. What comes later changes nothing. */
export class FirstConnection {
  readonly #outcome: Promise<void>
  #resolve: () => void = () => undefined
  #reject: (error: DatabaseError) => void = () => undefined

  constructor() {
    this.#outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Nobody has to wait for it.
    this.#outcome.catch(() => undefined)
  }

  made(): void {
    this.#resolve()
  }

  refused(error: DatabaseError): void {
    this.#reject(error)
  }

  /** Waits for it, but not longer than this. @throws DatabaseError the refusal, or what `tooLate` gives. */
  async wait(limitMs: number, tooLate: () => DatabaseError): Promise<void> {
    if (!(await within(limitMs, this.#outcome))) throw tooLate()
    await this.#outcome
  }
}
