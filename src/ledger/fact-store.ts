import type { ClientSession, Collection, Document, Filter, ObjectId } from 'mongodb'
import { inSession } from '../core/repository/reader.js'
import { isSettledAfter } from '../metering/index.js'
import type { LedgerEntry } from './entry.js'
import { compareFacts, type Fact, factOf, toCounterReading } from './fact.js'

const firstTieLimit = 8
const counterPage = 16
const rangePage = 5000

/** The entries of which a fact of each source is made. */
const factFilters: Readonly<Record<Fact['source'], Filter<LedgerEntry>>> = {
  power: { energySource: 'power', 'reading.powerW': { $exists: true } } as Filter<LedgerEntry>,
  counter: { energySource: 'counter', 'reading.energyWh': { $exists: true } } as Filter<LedgerEntry>,
  rated: { energySource: 'rated', eventType: { $ne: 'power_reading' } } as Filter<LedgerEntry>,
}

/** Reads what the ledger says about a switch's energy, in the order of time. */
export class FactStore {
  readonly #collection: Collection<LedgerEntry>

  constructor(collection: Collection<LedgerEntry>) {
    this.#collection = collection
  }

  /** The fact that comes last in time. */
  latest(switchId: ObjectId, source: Fact['source'], session: ClientSession | undefined): Promise<Fact | undefined> {
    return this.#nearest(switchId, source, {}, -1, () => true, session)
  }

  /** The fact just before this one in time. */
  before(switchId: ObjectId, fact: Fact, session: ClientSession | undefined): Promise<Fact | undefined> {
    const timestamp = { $lte: new Date(fact.atMs) }
    return this.#nearest(switchId, fact.source, { timestamp }, -1, (other) => compareFacts(other, fact) < 0, session)
  }

  /** The fact just after this one in time. */
  after(switchId: ObjectId, fact: Fact, session: ClientSession | undefined): Promise<Fact | undefined> {
    const timestamp = { $gte: new Date(fact.atMs) }
    return this.#nearest(switchId, fact.source, { timestamp }, 1, (other) => compareFacts(other, fact) > 0, session)
  }

  /**
   * The facts of one source in a range of time, in order, with the last one before it and the first one at or after its end:
   * what lies between them reaches into the range.
   */
  async *between(
    switchId: ObjectId,
    source: Fact['source'],
    fromMs: number,
    toMs: number,
  ): AsyncGenerator<Fact, void, undefined> {
    const earlier = await this.#nearest(
      switchId,
      source,
      { timestamp: { $lt: new Date(fromMs) } },
      -1,
      () => true,
      undefined,
    )
    if (earlier !== undefined) yield earlier
    const range = { timestamp: { $gte: new Date(fromMs), $lt: new Date(toMs) } }
    let instant: Fact[] = []
    for await (const entry of this.#facts(switchId, source, range, 1, undefined).batchSize(rangePage)) {
      const fact = factOf(entry as LedgerEntry)
      if (fact === undefined) continue
      // The index orders by time; facts of one time are put in order here.
      if (instant[0] !== undefined && instant[0].atMs !== fact.atMs) {
        yield* inOrder(instant)
        instant = []
      }
      instant.push(fact)
    }
    yield* inOrder(instant)
    const later = await this.#nearest(
      switchId,
      source,
      { timestamp: { $gte: new Date(toMs) } },
      1,
      () => true,
      undefined,
    )
    if (later !== undefined) yield later
  }

  /** The sources of which the switch has facts. */
  async sources(switchId: ObjectId): Promise<Fact['source'][]> {
    const all = Object.keys(factFilters) as Fact['source'][]
    const found = await Promise.all(
      all.map((source) => this.#facts(switchId, source, {}, -1, undefined).limit(1).hasNext()),
    )
    return all.filter((_, at) => found[at])
  }

  /**
   * The counter readings around an instant: back to where the counter's state no longer depends on what came before, and on
   * to where it no longer depends on the instant.
   */
  async counterWindow(
    switchId: ObjectId,
    atMs: number,
    rules: NonNullable<Fact['counter']>,
    session: ClientSession | undefined,
  ): Promise<Fact[]> {
    const back = await this.#untilSettled(switchId, { timestamp: { $lte: new Date(atMs) } }, -1, rules, session)
    const on = await this.#untilSettled(switchId, { timestamp: { $gt: new Date(atMs) } }, 1, rules, session)
    return [...back, ...on]
  }

  async #untilSettled(
    switchId: ObjectId,
    range: Filter<LedgerEntry>,
    direction: 1 | -1,
    rules: NonNullable<Fact['counter']>,
    session: ClientSession | undefined,
  ): Promise<Fact[]> {
    const cursor = this.#facts(switchId, 'counter', range, direction, session).batchSize(counterPage)
    const facts: Fact[] = []
    try {
      for (;;) {
        const entry = await cursor.next()
        const fact = entry === null ? undefined : factOf(entry as LedgerEntry)
        // Only whole instants are judged: readings of one time decide together.
        const isNewInstant = fact === undefined || facts.at(-1)?.atMs !== fact.atMs
        if (isNewInstant && facts.length >= 3 && isSettledAfter(inOrder(facts).map(toCounterReading), rules)) break
        if (fact === undefined) break
        facts.push(fact)
      }
    } finally {
      await cursor.close()
    }
    return inOrder(facts)
  }

  async #nearest(
    switchId: ObjectId,
    source: Fact['source'],
    range: Filter<LedgerEntry>,
    direction: 1 | -1,
    isBeyond: (fact: Fact) => boolean,
    session: ClientSession | undefined,
  ): Promise<Fact | undefined> {
    for (let limit = firstTieLimit; ; limit *= 4) {
      const entries = await this.#facts(switchId, source, range, direction, session).limit(limit).toArray()
      const facts = entries.flatMap((entry) => factOf(entry as LedgerEntry) ?? [])
      const beyond = facts.filter(isBeyond).sort((a, b) => direction * compareFacts(a, b))
      const nearest = beyond[0]
      const isWholeInstant = entries.length < limit || (nearest !== undefined && facts.at(-1)?.atMs !== nearest.atMs)
      if (isWholeInstant) return nearest
    }
  }

  #facts(
    switchId: ObjectId,
    source: Fact['source'],
    range: Filter<LedgerEntry>,
    direction: 1 | -1,
    session: ClientSession | undefined,
  ) {
    const filter: Document = { switchId, ...range, ...factFilters[source] }
    return this.#collection.find(filter as Filter<LedgerEntry>, {
      ...inSession(session),
      sort: { timestamp: direction },
    })
  }
}

function inOrder(facts: readonly Fact[]): Fact[] {
  return facts.toSorted((a, b) => compareFacts(a, b))
}
