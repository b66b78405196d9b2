import type { ClientSession, Db, Document } from 'mongodb'
import { type DocumentSequenceClass, RawCommand } from '../../core/raw-command.js'
import { serverCode } from '../../core/server-codes.js'
import type { Block } from '../format/bson-blocks.js'

/** A document that the server has refused. */
export interface RefusedDocument {
  /** Where in the block. */
  readonly index: number
  readonly code: number
  readonly message: string
  /** The fields of the index that has the value already. */
  readonly keys: readonly string[]
}

/** Inserts blocks as they are, byte by byte. */
export class BlockInserter {
  readonly #command: RawCommand

  constructor(sequenceClass?: DocumentSequenceClass) {
    this.#command = new RawCommand(sequenceClass)
  }

  /** Acknowledged by a majority, or part of the session's transaction. @returns the documents that were refused; the others are stored. */
  async insert(database: Db, collection: string, block: Block, session?: ClientSession): Promise<RefusedDocument[]> {
    const own = session === undefined ? { writeConcern: { w: 'majority' } } : {}
    const command = { insert: collection, ordered: false, ...own }
    const options = session === undefined ? {} : { session }
    return refusedOf(await this.#command.run(database, command, 'documents', block.bytes, options))
  }
}

/** What a reply of a write says of documents that were not written. */
export function refusedOf(reply: Document): RefusedDocument[] {
  const errors: Document[] = reply.writeErrors ?? []
  return errors.map(({ index, code, errmsg, keyPattern }) => ({
    index: Number(index),
    code: Number(code),
    message: String(errmsg),
    keys: Object.keys(keyPattern ?? {}),
  }))
}

/** Whether a document with the same id is there already. */
export function hasId({ code, keys }: RefusedDocument): boolean {
  return code === serverCode.duplicateKey && keys.length === 1 && keys[0] === '_id'
}
