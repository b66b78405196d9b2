import { type ClientSession, type Db, type Document, MongoServerError } from 'mongodb'

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
 * Inserts the documents in their order, by the insert command itself: `insertMany` measures each document before it
 * serializes it once more, which costs as much as hashing. Durable (majority, journaled) when it resolves. It is not retried
 * by the driver; whoever calls it can do so, because entries carry their identity.
 * @throws PartialInsertError, MongoServerError, MongoNetworkError: after the last two it is not known what is stored.
 */
export async function insertInOrder(
  database: Db,
  collection: string,
  documents: readonly Document[],
  bypassDocumentValidation: boolean,
  session: ClientSession | undefined,
): Promise<void> {
  const reply = await database.command(
    {
      insert: collection,
      ordered: true,
      ...(bypassDocumentValidation ? { bypassDocumentValidation } : {}),
      // In a transaction it is the commit that has a write concern.
      ...(session === undefined ? { writeConcern: { w: 'majority', j: true } } : {}),
      documents,
    },
    { ignoreUndefined: true, ...(session === undefined ? {} : { session }) },
  )
  // A write concern that failed is thrown by the driver.
  const failure: Document | undefined = reply.writeErrors?.[0]
  if (failure !== undefined) throw new PartialInsertError(Number(failure.index), failure)
}
