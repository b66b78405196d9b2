import type { ClientSession, Collection, Filter, ObjectId } from 'mongodb'
import { inSession } from '../../core/repository/reader.js'
import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'

/** What names an event in the ledger. */
export type EventKey = Pick<LedgerEvent, 'switchId' | 'idempotencyKey'>

/** The event's name as a text, the same before and after it was stored: half a character is stored as U+FFFD. */
export function keyOf({ switchId, idempotencyKey }: EventKey): string {
  return `${switchId.toHexString()} ${wellFormed(idempotencyKey)}`
}

/** What neither a head nor a fact is made of. */
const unread = {
  _id: 0,
  formatVersion: 0,
  receivedAt: 0,
  flags: 0,
  adjustment: 0,
  previousHash: 0,
  'metadata.voltage': 0,
  'metadata.current': 0,
  'metadata.powerFactor': 0,
} as const

/** As much of an entry as whoever follows a chain has to know. */
export type FollowedEntry = Omit<LedgerEntry, keyof typeof unread>

/** A chain, and an entry's number in it. */
export interface ChainPlace {
  readonly switchId: ObjectId
  readonly sequence: number
}

/** What the writer asks the ledger's collection about chains. */
export class ChainStore {
  readonly #collection: () => Collection<LedgerEntry>

  constructor(collection: () => Collection<LedgerEntry>) {
    this.#collection = collection
  }

  /** The chain's last entry. */
  head(switchId: ObjectId, session: ClientSession | undefined): Promise<LedgerEntry | null> {
    const options = { ...inSession(session), sort: { sequence: -1 } } as const
    return this.#collection().findOne({ switchId }, options) as Promise<LedgerEntry | null>
  }

  /** What has been appended after places in some chains, by the ids of these; each in order, and no more than the limit. */
  async after(places: readonly ChainPlace[], limit: number): Promise<Map<string, FollowedEntry[]>> {
    const branches = places.map(({ switchId, sequence }) => ({
      switchId,
      sequence: { $gt: sequence, $lte: sequence + limit },
    }))
    const options = { hint: { switchId: 1, sequence: 1 }, projection: unread, batchSize: 10_000 } as const
    const found = await this.#collection().find({ $or: branches }, options).toArray()
    const entries = new Map<string, FollowedEntry[]>()
    for (const entry of found as FollowedEntry[]) {
      const chain = entry.switchId.toHexString()
      const known = entries.get(chain)
      if (known === undefined) entries.set(chain, [entry])
      else known.push(entry)
    }
    for (const chain of entries.values()) chain.sort((a, b) => a.sequence - b.sequence)
    return entries
  }

  /** The latest time that an entry of the chain tells of, in epoch milliseconds. */
  async newestMs(switchId: ObjectId, session: ClientSession | undefined): Promise<number> {
    const options = { ...inSession(session), sort: { timestamp: -1 } } as const
    const newest = await this.#collection().findOne({ switchId }, options)
    return newest?.timestamp.getTime() ?? Number.NEGATIVE_INFINITY
  }

  /** The entries that there are for these events, by {@link keyOf}. */
  async existing(events: readonly EventKey[], session: ClientSession | undefined): Promise<Map<string, LedgerEntry>> {
    if (events.length === 0) return new Map()
    const keysOf = new Map<string, { switchId: ObjectId; idempotencyKey: { $in: string[] } }>()
    for (const { switchId, idempotencyKey } of events) {
      const chain = switchId.toHexString()
      const condition = keysOf.get(chain) ?? { switchId, idempotencyKey: { $in: [] } }
      keysOf.set(chain, condition)
      condition.idempotencyKey.$in.push(idempotencyKey)
    }
    // A condition for each chain: one for all would try every key in every chain. The server would weigh each of them.
    const filter = { $or: [...keysOf.values()] } as unknown as Filter<LedgerEntry>
    const options = { ...inSession(session), hint: { switchId: 1, idempotencyKey: 1 }, batchSize: 10_000 }
    const entries = (await this.#collection().find(filter, options).toArray()) as LedgerEntry[]
    return new Map(entries.map((entry) => [keyOf(entry), entry]))
  }
}

function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
