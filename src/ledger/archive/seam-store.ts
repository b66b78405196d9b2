import { type AnyBulkWriteOperation, type ClientSession, type Collection, ObjectId } from 'mongodb'
import { inSession } from '../../core/repository/reader.js'
import type { Seam } from './archive-entities.js'

/** Knows where the chains begin whose first entries are archived. */
export class SeamStore {
  readonly #collection: () => Collection<Seam>

  constructor(collection: () => Collection<Seam>) {
    this.#collection = collection
  }

  /** Before which instant entries of the switch may be archived, epoch milliseconds; undefined if none is. */
  async untilMs(switchId: ObjectId, session: ClientSession | undefined): Promise<number | undefined> {
    const seam = await this.#collection().findOne({ switchId }, inSession(session))
    return seam?.until.getTime()
  }

  all(): Promise<Seam[]> {
    return this.#collection().find().toArray()
  }

  async move(seams: readonly Omit<Seam, '_id'>[], session: ClientSession): Promise<void> {
    if (seams.length === 0) return
    const writes = seams.map(({ switchId, ...seam }): AnyBulkWriteOperation<Seam> => {
      const update = { $set: seam, $setOnInsert: { _id: new ObjectId() } }
      return { updateOne: { filter: { switchId }, update, upsert: true } }
    })
    await this.#collection().bulkWrite(writes, { session })
  }
}
