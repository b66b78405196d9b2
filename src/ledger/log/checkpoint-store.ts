import type { ClientSession, Collection } from 'mongodb'
import type { StoredCheckpoint } from './log-entities.js'

/** Keeps the checkpoints. */
export class CheckpointStore {
  readonly #collection: () => Collection<StoredCheckpoint>

  constructor(collection: () => Collection<StoredCheckpoint>) {
    this.#collection = collection
  }

  newest(): Promise<StoredCheckpoint | null> {
    return this.#collection().findOne({}, { sort: { size: -1 } })
  }

  ofSize(size: number): Promise<StoredCheckpoint | null> {
    return this.#collection().findOne({ size })
  }

  /** All of them, from the smallest size on. */
  inOrder(): AsyncIterable<StoredCheckpoint> {
    return this.#collection().find({}, { sort: { size: 1 } })
  }

  /** Those of some sizes, both ends included. */
  between(fromSize: number, toSize: number): AsyncIterable<StoredCheckpoint> {
    return this.#collection().find({ size: { $gte: fromSize, $lte: toSize } }, { sort: { size: 1 } })
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
