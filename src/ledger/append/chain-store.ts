import { BSON, type ClientSession, type Collection, type Document, type ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { rawDocuments } from '../../core/raw-documents.js'
import { inSession } from '../../core/repository/in-session.js'
import type { FindImposters } from '../archive/archived-entries.js'
import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'
import { hashEntry } from '../entry/strict-entry.js'
import { type EnergyEntry, energyEntryOf } from '../facts/stored-fact.js'
import { firstFieldsOf } from '../stored-document.js'
import { wordsOf } from '../stored-words.js'

/** Event key: what names an event in the ledger. */
export type EventKey = Pick<LedgerEvent, 'switchId' | 'idempotencyKey'>

/** The event's name as a text, the same before and after it was stored: half a character is stored as U+FFFD. */
export function keyOf({ switchId, idempotencyKey }: EventKey): string {
  return `${switchId.toHexString()} ${wellFormed(idempotencyKey)}`
}

/** Entries that follow a place in a chain, in order. */
export interface Following {
  readonly entries: readonly EnergyEntry[]
  readonly last: LedgerEntry
}

/** A chain, and an entry's number in it. */
export interface ChainPosition {
  readonly switchId: ObjectId
  readonly sequence: number
}

/** Chain store: what the writer asks the ledger's collection about chains. */
export class ChainStore {
  readonly #collection: () => Collection<LedgerEntry>
  readonly #imposters: FindImposters

  constructor(collection: () => Collection<LedgerEntry>, imposters: FindImposters) {
    this.#collection = collection
    this.#imposters = imposters
  }

  /** The chain's last entry. */
  head(switchId: ObjectId, session: ClientSession | undefined): Promise<LedgerEntry | null> {
    const options = { ...inSession(session), sort: { sequence: -1 } } as const
    return this.#collection().findOne({ switchId }, options) as Promise<LedgerEntry | null>
  }

  /**
   * What has been appended after positions in some chains, by the ids of these; no more than the limit of each. The entries are
   * read out of their bytes: decoding all of each is most of the time.
   */
  async after(positions: readonly ChainPosition[], limit: number): Promise<Map<string, Following>> {
    const branches = positions.map(({ switchId, sequence }) => ({
      switchId,
      sequence: { $gt: sequence, $lte: sequence + limit },
    }))
    const options = { hint: { switchId: 1, sequence: 1 }, raw: true, batchSize: 10_000 } as const
    const stored = await rawDocuments(this.#collection().find({ $or: branches }, options))
    const found = new Map<string, { bytes: Buffer; entry: EnergyEntry }[]>()
    for (const bytes of stored) {
      const entry = energyEntryOf({ buffer: bytes, start: 0, length: bytes.length })
      const chain = entry.switchId.toHexString()
      const known = found.get(chain)
      if (known === undefined) found.set(chain, [{ bytes, entry }])
      else known.push({ bytes, entry })
    }
    return new Map([...found].map(([chain, read]) => [chain, followingOf(read)]))
  }

  /** The latest time of an entry of the chain, in epoch milliseconds. */
  async newestMs(switchId: ObjectId, session: ClientSession | undefined): Promise<number> {
    const options = { ...inSession(session), sort: { timestamp: -1 } } as const
    const newest = await this.#collection().findOne({ switchId }, options)
    return newest?.timestamp.getTime() ?? Number.NEGATIVE_INFINITY
  }

  /**
   * The entries that there are for these events, by {@link keyOf}; undefined where a document has the key of the event that is
   * none of the ledger's entries.
   */
  async existing(
    events: readonly EventKey[],
    session: ClientSession | undefined,
  ): Promise<Map<string, LedgerEntry | undefined>> {
    if (events.length === 0) return new Map()
    const keysOf = new Map<string, { switchId: ObjectId; idempotencyKey: { $in: string[] } }>()
    for (const { switchId, idempotencyKey } of events) {
      const chain = switchId.toHexString()
      const condition = keysOf.get(chain) ?? { switchId, idempotencyKey: { $in: [] } }
      keysOf.set(chain, condition)
      condition.idempotencyKey.$in.push(idempotencyKey)
    }
    // A condition for each chain: one for all would try every key in every chain. The server would weigh each of them.
    const filter: Document = { $or: [...keysOf.values()] }
    const options = { ...inSession(session), hint: { switchId: 1, idempotencyKey: 1 }, batchSize: 10_000, raw: true }
    const documents = await rawDocuments(this.#collection().find(filter, options))
    const existing = new Map<string, LedgerEntry | undefined>()
    for (const bytes of documents) {
      const isEntry = hashEntry(bytes) !== undefined
      const entry = isEntry ? (BSON.deserialize(bytes) as LedgerEntry) : undefined
      for (const key of entry === undefined ? keysIn(bytes) : [keyOf(entry)]) existing.set(key, entry)
    }
    const entries = [...existing.values()].filter((entry) => entry !== undefined)
    const imposters = entries.length === 0 ? new Set() : await this.#imposters(entries, session)
    for (const entry of entries) if (imposters.has(entry)) existing.set(keyOf(entry), undefined)
    return existing
  }
}

function followingOf(read: { readonly bytes: Buffer; readonly entry: EnergyEntry }[]): Following {
  read.sort((a, b) => a.entry.sequence - b.entry.sequence)
  const last = BSON.deserialize((read.at(-1) as { bytes: Buffer }).bytes, { promoteBuffers: false }) as LedgerEntry
  return { entries: read.map(({ entry }) => entry), last }
}

/** What becomes of an event whose key a document has that is none of the ledger's entries: it is not taken for known. */
export function imposterError({ switchId }: EventKey): DatabaseError {
  return new DatabaseError(
    'LEDGER_DAMAGED',
    `A document of the chain ${switchId.toHexString()} has the idempotency key of the event, and is none of the ledger's entries: verify the ledger`,
  )
}

/** As {@link keyOf}, of a document that the server has found by its key: where it has lists, by one of theirs. */
function keysIn(bytes: Buffer): string[] {
  const { switchId, idempotencyKey } = firstFieldsOf(bytes)
  const chains = [switchId].flat().map(wordsOf)
  const keys = [idempotencyKey].flat().filter((key) => typeof key === 'string')
  return chains.flatMap((chain) => keys.map((key) => `${chain} ${key}`))
}

function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
