import { type ClientSession, MongoServerError } from 'mongodb'
import type { Logger } from '../logger.js'
import { serverCode } from '../server-codes.js'
import { asTransient } from '../translate-error.js'

/**
 * Writes documents of the library's own past the server's validator, if it lets us: they are valid by construction, and to
 * check a large one takes the server longer than to write it. Where the role lacks the privilege they are checked.
 */
export class ValidatorBypass {
  readonly #logger: Logger
  #isAllowed = true

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @param write Called with whether to ask for the bypass; called once more, or by the next run of its transaction, if that was refused. */
  async write<Result>(
    session: ClientSession | undefined,
    write: (bypassDocumentValidation: boolean) => Promise<Result>,
  ): Promise<Result> {
    // Another write under way may learn meanwhile that it is not allowed: what was asked for here is what counts.
    const bypassed = this.#isAllowed
    try {
      return await write(bypassed)
    } catch (error) {
      if (!bypassed || !(error instanceof MongoServerError) || error.code !== serverCode.unauthorized) throw error
      this.#doWithout()
      if (session === undefined) return write(false)
      // The refusal has ended the transaction: it begins again, and then without.
      throw asTransient(error)
    }
  }

  #doWithout(): void {
    if (!this.#isAllowed) return
    this.#isAllowed = false
    this.#logger.info(
      {},
      'the role lacks bypassDocumentValidation: documents that the library vouches for are checked twice',
    )
  }
}
