import { type ClientSession, type Collection, ObjectId } from 'mongodb'
import { inSession } from '../../core/repository/reader.js'
import type { Appended } from '../append/append-call.js'
import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'
import { type Committed, commitTo } from './commitment.js'
import type { PersonalData } from './personal-data.js'

/** Personal data on its way into the ledger. */
export interface CommittedEvent {
  readonly event: LedgerEvent
  readonly committed: Committed | undefined
}

/** Keeps what is personal about entries. */
export class PersonalStore {
  readonly #collection: () => Collection<PersonalData>

  constructor(collection: () => Collection<PersonalData>) {
    this.#collection = collection
  }

  /** What belongs to the entries; those that were there already have personal data of their own. */
  async add(
    events: readonly CommittedEvent[],
    appended: readonly Appended[],
    session: ClientSession | undefined,
  ): Promise<void> {
    const documents = events.flatMap(({ event: { switchId }, committed }, at) =>
      committed === undefined || appended[at]?.entry.personalCommitment !== committed.commitment
        ? []
        : [{ _id: new ObjectId(), switchId, ...committed }],
    )
    if (documents.length > 0) await this.#collection().insertMany(documents, inSession(session))
  }

  async of(
    { switchId, personalCommitment: commitment }: LedgerEntry,
    session: ClientSession | undefined,
  ): Promise<PersonalData | null> {
    return commitment === undefined ? null : this.#collection().findOne({ switchId, commitment }, inSession(session))
  }

  async erase(
    { switchId, personalCommitment: commitment }: LedgerEntry,
    session: ClientSession | undefined,
  ): Promise<void> {
    if (commitment !== undefined) await this.#collection().deleteOne({ switchId, commitment }, inSession(session))
  }
}

/** Parts an event from what is personal about it. */
export function commitPersonal<Given extends { notes?: string | undefined; personal?: object | undefined }>({
  notes,
  personal,
  ...event
}: Given): CommittedEvent {
  if (notes === undefined && personal === undefined)
    return { event: event as unknown as LedgerEvent, committed: undefined }
  const committed = commitTo({
    ...(notes === undefined ? {} : { notes }),
    ...(personal === undefined ? {} : { personal }),
  })
  return { event: { ...event, personalCommitment: committed.commitment } as unknown as LedgerEvent, committed }
}
