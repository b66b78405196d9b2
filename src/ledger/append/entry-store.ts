import { type ClientSession, MongoServerError } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { LedgerEntry } from '../entry/entry.js'
import { toStoredEntry } from '../entry/stored-entry.js'
import { asTransient, insertInOrder } from './insert-command.js'

const unauthorized = 13

/** Writes entries into the ledger's collection. */
export class EntryStore {
  readonly #database: Database
  readonly #collection: string
  /** The library's own entries are valid by construction: the server need not check them again, if it lets us say so. */
  #bypassValidator = true

  constructor(database: Database, collection: string) {
    this.#database = database
    this.#collection = collection
  }

  /**
   * Inserts the entries in their order, durably or as a part of the transaction.
   * @throws PartialInsertError after those before a collision are stored; MongoServerError, MongoNetworkError: what is stored
   * then is not known. In a transaction nothing is.
   */
  async insert(entries: readonly LedgerEntry[], session: ClientSession | undefined): Promise<void> {
    if (entries.length === 0) return
    const documents = entries.map(toStoredEntry)
    const { native } = this.#database
    // Another batch under way may learn meanwhile that it is not allowed: what was sent here is what counts.
    const bypassed = this.#bypassValidator
    try {
      await insertInOrder(native, this.#collection, documents, bypassed, session)
    } catch (error) {
      if (!bypassed || !(error instanceof MongoServerError) || error.code !== unauthorized) throw error
      this.#doWithoutBypass()
      // In a transaction the refusal has ended it: it begins again, and then without.
      if (session !== undefined) throw asTransient(error)
      await insertInOrder(native, this.#collection, documents, false, undefined)
    }
  }

  #doWithoutBypass(): void {
    if (!this.#bypassValidator) return
    this.#bypassValidator = false
    this.#database.logger.info({}, 'the role lacks bypassDocumentValidation: ledger entries are checked twice')
  }
}
