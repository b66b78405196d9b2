import type { ClientSession, Collection, ObjectId } from 'mongodb'
import { inSession } from '../core/repository/reader.js'
import type { LedgerEntry } from './entry.js'

/** What the writer asks the ledger's collection about chains. */
export class ChainStore {
  readonly #collection: Collection<LedgerEntry>

  constructor(collection: Collection<LedgerEntry>) {
    this.#collection = collection
  }

  /** The chain's last entry. */
  head(switchId: ObjectId, session: ClientSession | undefined): Promise<LedgerEntry | null> {
    return this.#collection.findOne(
      { switchId },
      { ...inSession(session), sort: { sequence: -1 } },
    ) as Promise<LedgerEntry | null>
  }

  /** The entries that exist already for these keys. */
  async existing(
    switchIds: readonly ObjectId[],
    keys: readonly string[],
    session: ClientSession | undefined,
  ): Promise<LedgerEntry[]> {
    const filter = { switchId: { $in: [...switchIds] }, idempotencyKey: { $in: [...keys] } }
    return this.#collection.find(filter, { ...inSession(session), batchSize: 10_000 }).toArray() as Promise<
      LedgerEntry[]
    >
  }
}
