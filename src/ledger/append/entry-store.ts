import type { ClientSession } from 'mongodb'
import type { Database } from '../../core/database.js'
import { RawCommand } from '../../core/raw-command.js'
import type { SealedEntry } from '../entry/seal.js'
import { insertInOrder } from './insert-command.js'

/** Writes entries into the ledger's collection. */
export class EntryStore {
  readonly #database: Database
  readonly #collection: string
  readonly #command = new RawCommand()

  constructor(database: Database, collection: string) {
    this.#database = database
    this.#collection = collection
  }

  /**
   * Inserts the entries in their order, durably or as a part of the transaction.
   * @throws PartialInsertError after those before a collision are stored; MongoServerError, MongoNetworkError: what is stored
   * then is not known. In a transaction nothing is.
   */
  async insert(entries: readonly SealedEntry[], session: ClientSession | undefined): Promise<void> {
    if (entries.length === 0) return
    const documents = Buffer.concat(entries.map(({ bytes }) => bytes))
    const { native, validatorBypass, selfCheck } = this.#database
    await validatorBypass.write(session, (bypass) =>
      insertInOrder(this.#command, native, this.#collection, documents, bypass, session),
    )
    selfCheck.noteWrite()
  }
}
