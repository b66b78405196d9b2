import type { DatabaseError } from '../core/errors.js'
import { settlesWithin } from '../core/settles-within.js'

/** How the first attempt to connect ended: it was made, or refused for good. What comes later changes nothing. */
export class FirstOutcome {
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

  /** Waits for it, but not longer than this. @returns whether it was made. @throws DatabaseError the refusal. */
  async wait(limitMs: number): Promise<boolean> {
    if (!(await settlesWithin(limitMs, this.#outcome))) return false
    await this.#outcome
    return true
  }
}
