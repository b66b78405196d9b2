import { type AnyBulkWriteOperation, type ClientSession, type Collection, ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { rawDocuments } from '../../core/raw-documents.js'
import { inSession } from '../../core/repository/in-session.js'
import { idOf, readStored } from '../stored-document.js'
import { type Seam, seamEntity } from './archive-entities.js'

/** A seam as it is stored. */
export interface StoredSeam {
  readonly bytes: Buffer
  /** Undefined if it is none. */
  readonly seam: Seam | undefined
}

/** Knows where the chains begin whose first entries are archived. */
export class SeamStore {
  readonly #collection: () => Collection<Seam>

  constructor(collection: () => Collection<Seam>) {
    this.#collection = collection
  }

  /** Before which instants entries of the switches may be archived, epoch milliseconds, by their ids; none if none is. */
  async untilMs(switchIds: readonly ObjectId[], session: ClientSession | undefined): Promise<Map<string, number>> {
    const seams = await this.#of(switchIds, session)
    return new Map(seams.map(({ switchId, until }) => [switchId.toHexString(), until.getTime()]))
  }

  /** The last archived entry of each of the switches, by their ids. */
  async through(switchIds: readonly ObjectId[], session: ClientSession | undefined): Promise<Map<string, number>> {
    const seams = await this.#of(switchIds, session)
    return new Map(seams.map(({ switchId, sequence }) => [switchId.toHexString(), sequence]))
  }

  /** Whether the last archived entry of the chain was of the device. */
  async has(chain: Pick<Seam, 'switchId' | 'deviceId'>): Promise<boolean> {
    return (await this.#collection().countDocuments(chain, { limit: 1 })) > 0
  }

  async all(session?: ClientSession): Promise<StoredSeam[]> {
    const found = await rawDocuments(this.#collection().find({}, { ...inSession(session), raw: true }))
    return found.map((bytes) => ({ bytes, seam: readStored(seamEntity, bytes) }))
  }

  async #of(switchIds: readonly ObjectId[], session: ClientSession | undefined): Promise<Seam[]> {
    const filter = { switchId: { $in: switchIds } }
    const found = await rawDocuments(this.#collection().find(filter, { ...inSession(session), raw: true }))
    return found.map((bytes) => {
      const seam = readStored(seamEntity, bytes)
      if (seam !== undefined) return seam
      throw new DatabaseError(
        'LEDGER_DAMAGED',
        `The document ${idOf(bytes)} is no seam, where one has to be: verify the ledger`,
      )
    })
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
