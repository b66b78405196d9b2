import { Binary, type ClientSession, type Collection, ObjectId } from 'mongodb'
import { inSession } from '../../core/repository/in-session.js'
import type { Appended } from '../append/append-call.js'
import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'
import { hexOf } from '../entry/sha256.js'
import { readStored } from '../stored-document.js'
import { type Committed, commitmentOf, commitTo } from './commitment.js'
import { erasureKey } from './erasure.js'
import { type PersonalData, personalDataEntity } from './personal-data.js'

/** Personal data on its way into the ledger. */
export interface CommittedEvent {
  readonly event: LedgerEvent
  readonly committed: Committed | undefined
}

/** Keeps what is personal about entries. */
export class PersonalStore {
  readonly #collection: () => Collection<PersonalData>
  readonly #entries: () => Collection<LedgerEntry>

  constructor(collection: () => Collection<PersonalData>, entries: () => Collection<LedgerEntry>) {
    this.#collection = collection
    this.#entries = entries
  }

  /** What belongs to the entries; those that were there already have personal data of their own. */
  async add(
    events: readonly CommittedEvent[],
    appended: readonly Appended[],
    session: ClientSession | undefined,
  ): Promise<void> {
    const documents = events.flatMap(({ event: { switchId, personalCommitment: commitment }, committed }, at) => {
      if (committed === undefined || commitment === undefined || appended[at]?.isNew !== true) return []
      const { salt, text } = committed
      return [{ _id: new ObjectId(), switchId, commitment, salt: new Binary(salt), text }]
    })
    if (documents.length > 0) await this.#collection().insertMany(documents, inSession(session))
  }

  /** Null for what was erased, also if somebody has put it back; and for what is not what the entry has committed to. */
  async of(
    { switchId, personalCommitment: commitment, hash }: LedgerEntry,
    session: ClientSession | undefined,
  ): Promise<PersonalData | null> {
    if (commitment === undefined) return null
    const bytes: unknown = await this.#collection().findOne(
      { switchId, commitment },
      { ...inSession(session), raw: true },
    )
    const data = bytes === null ? undefined : readStored(personalDataEntity, bytes as Buffer)
    if (data === undefined || commitmentOf(data.salt.value(), data.text) !== hexOf(commitment)) return null
    const erasure = { switchId, idempotencyKey: erasureKey(hash), eventType: 'erasure' } as const
    return (await this.#entries().countDocuments(erasure, inSession(session))) > 0 ? null : data
  }

  async erase(
    { switchId, personalCommitment: commitment }: LedgerEntry,
    session: ClientSession | undefined,
  ): Promise<void> {
    if (commitment !== undefined) await this.#collection().deleteOne({ switchId, commitment }, inSession(session))
  }
}

type Personal = { readonly notes?: string | undefined; readonly personal?: object | undefined }

/** Parts an event from what is personal about it. */
export function commitPersonal({ notes, personal, ...event }: LedgerEvent & Personal): CommittedEvent {
  if (notes === undefined && personal === undefined) return { event, committed: undefined }
  const committed = commitTo({
    ...(notes === undefined ? {} : { notes }),
    ...(personal === undefined ? {} : { personal }),
  })
  return { event: { ...event, personalCommitment: new Binary(committed.commitment) }, committed }
}
