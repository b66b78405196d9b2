import type { ClientSession, Collection, Document, Filter, FindOptions, ObjectId } from 'mongodb'
import { rawDocuments } from '../../core/raw-documents.js'
import { inSession } from '../../core/repository/in-session.js'
import type { LedgerEntry } from '../entry/entry.js'
import { type Fact, type FactEntry, factOf } from './fact.js'
import type { TimeSpan } from './fact-windows.js'
import { type EnergyEntry, energyEntryOf } from './stored-fact.js'
import type { Range } from './time-range.js'

/** So many entries are read of ranges of time at one go. */
const largestReading = 20_000

/** Entries that say nothing about energy, as far as the server can tell: see {@link factOf}. */
const notFacts: readonly Document[] = [
  { eventType: { $in: ['manual_adjustment', 'erasure'] } },
  { energySource: 'rated', eventType: { $in: ['power_reading', 'refused_reading'] } },
  { energySource: 'counter', eventType: 'refused_reading' },
  {
    energySource: { $in: ['power', 'counter'] },
    eventType: { $in: ['switch_on', 'switch_off', 'sign_of_life', 'restart'] },
  },
]

/** What a chain knows and the store does not: facts that are built but not stored, and the transaction that it is in. */
export interface Beside {
  readonly unstored: readonly Fact[]
  readonly session: ClientSession | undefined
  /** Entries of a higher sequence number are left out. */
  readonly throughSequence?: number | undefined
}

export const nothingBeside: Beside = { unstored: [], session: undefined }

/** Runs a query: in its caller's transaction, say, and with its errors translated. */
export type RunQuery = <Result>(query: (session: ClientSession | undefined) => Promise<Result>) => Promise<Result>

/** Fact query: what is asked of the ledger's collection about a switch's energy. */
export class FactQuery {
  readonly #collection: () => Collection<LedgerEntry>
  readonly #run: RunQuery

  /** @param run How queries are run that come with no session. */
  constructor(collection: () => Collection<LedgerEntry>, run: RunQuery) {
    this.#collection = collection
    this.#run = run
  }

  /** Entries of a range of time that say something about energy, in the order of time or the other way round. */
  page(
    switchId: ObjectId,
    { afterMs, beforeMs }: Range,
    direction: 1 | -1,
    limit: number,
    { session, throughSequence }: Beside,
    passedOver: readonly Document[] = [],
  ): Promise<FactEntry[]> {
    const timestamp = { $gt: new Date(afterMs), $lt: new Date(beforeMs) }
    const isEarly = throughSequence === undefined ? {} : { sequence: { $lte: throughSequence } }
    const filter: Document = { switchId, timestamp, ...isEarly, $nor: [...notFacts, ...passedOver] }
    return this.#find(filter, { sort: { timestamp: direction }, limit }, session)
  }

  /**
   * All facts in ranges of time, by the ids of their switches; undefined if there are too many to read them at one go.
   * @param spans Finite, and apart from each other.
   */
  async within(
    spans: readonly (TimeSpan & { readonly switchId: ObjectId })[],
    session: ClientSession | undefined,
  ): Promise<Map<string, Fact[]> | undefined> {
    const ranges = spans.map(({ switchId, fromMs, toMs }) => ({
      switchId,
      timestamp: { $gte: new Date(fromMs), $lte: new Date(toMs) },
    }))
    // With a thousand ranges the server would weigh the indexes for each.
    const options = { limit: largestReading + 1, hint: { switchId: 1, timestamp: 1 } }
    const entries = await this.#find({ $or: ranges, $nor: notFacts }, options, session)
    if (entries.length > largestReading) return undefined
    const found = new Map<string, Fact[]>()
    for (const entry of entries) {
      const fact = factOf(entry)
      if (fact === undefined) continue
      const id = entry.switchId.toHexString()
      const facts = found.get(id)
      if (facts === undefined) found.set(id, [fact])
      else facts.push(fact)
    }
    return found
  }

  /** Runs a query in a session, or as queries are run without one. */
  run<Result>(
    query: (session: ClientSession | undefined) => Promise<Result>,
    session: ClientSession | undefined,
  ): Promise<Result> {
    return session === undefined ? this.#run(query) : query(session)
  }

  async #find(
    filter: Document,
    { limit, ...options }: FindOptions & { readonly limit: number },
    session: ClientSession | undefined,
  ): Promise<EnergyEntry[]> {
    const query = (inside: ClientSession | undefined) =>
      rawDocuments(
        this.#collection().find(filter as Filter<LedgerEntry>, {
          ...options,
          ...inSession(inside),
          limit,
          raw: true,
          batchSize: limit + 1,
        }),
      )
    const stored = await this.run(query, session)
    return stored.map((buffer) => energyEntryOf({ buffer, start: 0, length: buffer.length }))
  }
}
