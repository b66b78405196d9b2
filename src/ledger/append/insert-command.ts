import { type ClientSession, type Db, type Document, MongoServerError } from 'mongodb'
import type { RawCommand } from '../../core/raw-command.js'

/** The insert stopped at a document: those before it are stored, it and those after it are not. */
export class PartialInsertError extends MongoServerError {
  constructor(
    readonly stored: number,
    failure: Document,
  ) {
    super({ ...failure, message: String(failure.errmsg) })
  }
}

/**
 * Inserts documents that are BSON already, in their order. Durable (majority, journaled) when it resolves. It is not retried
 * by the driver; its callers can do so, because entries carry their identity.
 * @throws PartialInsertError, MongoServerError, MongoNetworkError: after the last two it is not known what is stored.
 */
export async function insertInOrder(
  command: RawCommand,
  database: Db,
  collection: string,
  documents: Buffer,
  bypassDocumentValidation: boolean,
  session: ClientSession | undefined,
): Promise<void> {
  const insert = {
    insert: collection,
    ordered: true,
    ...(bypassDocumentValidation ? { bypassDocumentValidation } : {}),
    // In a transaction it is the commit that has a write concern.
    ...(session === undefined ? { writeConcern: { w: 'majority', j: true } } : {}),
  }
  const options = session === undefined ? {} : { session }
  const reply = await command.run(database, insert, 'documents', documents, options)
  // A write concern that failed is thrown by the driver.
  const failure: Document | undefined = reply.writeErrors?.[0]
  if (failure !== undefined) throw new PartialInsertError(Number(failure.index), failure)
}
