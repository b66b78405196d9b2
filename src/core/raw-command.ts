import { createRequire } from 'node:module'
import { BSON, type CommandOperationOptions, type Db, type Document } from 'mongodb'
import { serverErrorCode } from './translate-error.js'

/** The driver's own carrier of documents that are BSON already. It is not part of its public interface. */
interface DocumentSequence {
  push(document: Document, bytes: Uint8Array): number
}
export type DocumentSequenceClass = new (field: string) => DocumentSequence

const typeMismatch = 14
const unpromoted = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const

/**
 * Sends commands whose documents are BSON already, byte by byte. Where the driver does not take those they are decoded first;
 * those whose bytes would change by that are refused.
 */
export class RawCommand {
  #sequenceClass: DocumentSequenceClass | undefined

  constructor(sequenceClass: DocumentSequenceClass | undefined = findDocumentSequence()) {
    this.#sequenceClass = sequenceClass
  }

  /** @param field Which field of the command the documents are, such as `documents` or `updates`. */
  async run(
    database: Db,
    command: Document,
    field: string,
    documents: Buffer,
    options: CommandOperationOptions,
  ): Promise<Document> {
    if (this.#sequenceClass !== undefined) {
      const sequence = new this.#sequenceClass(field)
      sequence.push({}, documents)
      try {
        return await database.command({ ...command, [field]: sequence }, options)
      } catch (error) {
        // The connection is of another copy of the driver, which does not know this class.
        if (serverErrorCode(error) !== typeMismatch) throw error
        this.#sequenceClass = undefined
      }
    }
    return database.command({ ...command, [field]: decoded(documents) }, options)
  }
}

/** With the probe: a driver that has none, or another one, is served by the public interface. */
function findDocumentSequence(): DocumentSequenceClass | undefined {
  try {
    const commands: { DocumentSequence?: unknown } = createRequire(import.meta.url)('mongodb/lib/cmap/commands.js')
    const found = commands.DocumentSequence
    return typeof found === 'function' && typeof found.prototype.push === 'function'
      ? (found as DocumentSequenceClass)
      : undefined
  } catch {
    return undefined
  }
}

/** The documents as objects. @throws Error for one that would be stored with other bytes. */
function decoded(bytes: Buffer): Document[] {
  const documents: Document[] = []
  for (let at = 0; at < bytes.length; ) {
    const stored = bytes.subarray(at, at + bytes.readInt32LE(at))
    const document = BSON.deserialize(stored, unpromoted)
    if (!stored.equals(BSON.serialize(document)))
      throw new Error(
        'a document cannot be stored as it was by this version of the driver: it has a type, or an order of fields, that JavaScript does not keep',
      )
    documents.push(document)
    at += stored.length
  }
  return documents
}
