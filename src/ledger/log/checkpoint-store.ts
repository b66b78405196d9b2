import type { ClientSession, Collection, Document, Sort } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { rawIn } from '../../core/raw-documents.js'
import { idOf, readStored } from '../stored-document.js'
import { checkpointEntity, type StoredCheckpoint } from './log-entities.js'

/** A checkpoint as it is stored. */
export interface CheckpointDocument {
  readonly id: string
  /** Undefined if it is none. */
  readonly checkpoint: StoredCheckpoint | undefined
}

/** Keeps the checkpoints. */
export class CheckpointStore {
  readonly #collection: () => Collection<StoredCheckpoint>

  constructor(collection: () => Collection<StoredCheckpoint>) {
    this.#collection = collection
  }

  /** @throws DatabaseError `LEDGER_DAMAGED` if the document that says to be the newest is none. */
  newest(): Promise<StoredCheckpoint | null> {
    return this.#findOne({}, { size: -1 })
  }

  ofSize(size: number): Promise<StoredCheckpoint | null> {
    return this.#findOne({ size }, {})
  }

  /** All of them, or those of a size, from the smallest on. */
  async *inOrder(filter: { readonly size?: number } = {}): AsyncGenerator<CheckpointDocument, void, undefined> {
    const found = this.#collection().find(filter, { sort: { size: 1 }, raw: true })
    for await (const bytes of rawIn(found)) yield documentOf(bytes)
  }

  /** Those of some sizes, both ends included. @throws DatabaseError `LEDGER_DAMAGED` if one of them is none. */
  async *between(fromSize: number, toSize: number): AsyncGenerator<StoredCheckpoint, void, undefined> {
    const filter = { size: { $gte: fromSize, $lte: toSize } }
    const found = this.#collection().find(filter, { sort: { size: 1 }, raw: true })
    for await (const bytes of rawIn(found)) yield required(documentOf(bytes))
  }

  async #findOne(filter: Document, sort: Sort): Promise<StoredCheckpoint | null> {
    const bytes: unknown = await this.#collection().findOne(filter, { sort, raw: true })
    return bytes === null ? null : required(documentOf(bytes as Buffer))
  }

  async add(checkpoint: StoredCheckpoint, session: ClientSession): Promise<void> {
    await this.#collection().insertOne(checkpoint, { session })
  }

  /** Adds what witnesses have signed to the note. */
  async addSignatures(size: number, before: string, after: string): Promise<boolean> {
    const { matchedCount } = await this.#collection().updateOne({ size, note: before }, { $set: { note: after } })
    return matchedCount > 0
  }
}

function documentOf(bytes: Buffer): CheckpointDocument {
  return { id: idOf(bytes), checkpoint: readStored(checkpointEntity, bytes) }
}

function required({ id, checkpoint }: CheckpointDocument): StoredCheckpoint {
  if (checkpoint !== undefined) return checkpoint
  throw new DatabaseError(
    'LEDGER_DAMAGED',
    `The document ${id} is no checkpoint, where one has to be: verify the ledger`,
  )
}
