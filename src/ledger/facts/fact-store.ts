import type { ClientSession, Collection, Document, ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import type { LedgerEntry } from '../entry/entry.js'
import { compareFacts, type Fact, type FactEntry, factOf } from './fact.js'
import { FactPages, largestPage, type ReadFacts, someReadings } from './fact-pages.js'
import { type Beside, FactQuery, nothingBeside, type RunQuery } from './fact-query.js'
import { partTheirNeighbours } from './fact-run.js'
import type { FactsAround, FactWindow, TimeSpan } from './fact-windows.js'
import { always, type Range } from './time-range.js'

/** A fact that is no counter reading parts what is before it from what comes after it, so one or two are enough. */
const fewFacts = 3
const signsOfLife: Document = { eventType: { $in: ['sign_of_life', 'restart'] } }

/**
 * Before which instants entries of these switches may be archived, epoch milliseconds, by the ids of the switches; nothing for
 * those of which all are here.
 */
export type ArchivedUntil = (
  switchIds: readonly ObjectId[],
  session: ClientSession | undefined,
) => Promise<ReadonlyMap<string, number>>

/** Reads what the ledger says about a switch's energy, in the order of time. */
export class FactStore {
  readonly #query: FactQuery
  readonly #pages: FactPages
  readonly #archivedUntil: ArchivedUntil

  /** @param run How queries are run that come with no session. */
  constructor(
    collection: () => Collection<LedgerEntry>,
    archivedUntil: ArchivedUntil,
    run: RunQuery = (query) => query(undefined),
  ) {
    this.#query = new FactQuery(collection, run)
    this.#pages = new FactPages(this.#query)
    this.#archivedUntil = archivedUntil
  }

  /** The newest entry that says something about energy, signs of life left out. */
  async latest(switchId: ObjectId): Promise<FactEntry | undefined> {
    for (let limit = fewFacts; ; limit *= 4) {
      const entries = await this.#query.page(switchId, always, -1, limit, nothingBeside, [signsOfLife])
      const newest = entries.reduce<Telling | undefined>(newerOf, undefined)
      const reachedMs = entries.at(-1)?.timestamp.getTime()
      // Others of the same instant may follow, in any order.
      const isSure = entries.length < limit || (newest !== undefined && reachedMs !== newest.fact.atMs)
      if (isSure) return newest?.entry
    }
  }

  /** The newest facts among the entries up to a sequence number. */
  async newestThrough(switchId: ObjectId, throughSequence: number): Promise<readonly Fact[]> {
    const { facts } = await this.newest(switchId, { ...nothingBeside, throughSequence })
    return facts
  }

  /** The newest facts: a meter that has taken them stands as if it had taken all. And what is known with them. */
  async newest(
    switchId: ObjectId,
    beside: Beside = nothingBeside,
  ): Promise<{ readonly facts: readonly Fact[]; readonly known: FactWindow }> {
    const read = await this.#back(switchId, always, beside, someReadings)
    return { facts: read.facts, known: { fromMs: startOf(read), toMs: Number.POSITIVE_INFINITY, facts: read.near } }
  }

  /** The facts around a new one, as far as it can make a difference to what they come to. And what is known with them. */
  async around(
    switchId: ObjectId,
    { atMs, counter }: Fact,
    beside: Beside,
  ): Promise<FactsAround & { readonly known: FactWindow }> {
    const page = counter === undefined ? fewFacts : someReadings
    const readBefore = () => this.#back(switchId, { ...always, beforeMs: atMs }, beside, page)
    // Readings of one instant decide together, so those of the new fact's own instant part nothing.
    const readAfter = () => this.#pages.until(switchId, { ...always, afterMs: atMs - 1 }, 1, beside, page, atMs)
    // A session can serve only one at a time.
    const [before, after] =
      beside.session === undefined
        ? await Promise.all([readBefore(), readAfter()])
        : [await readBefore(), await readAfter()]
    const known = { fromMs: startOf(before, atMs), toMs: endOf(after, atMs), facts: [...before.near, ...after.near] }
    return { facts: [...before.facts, ...after.facts], toTheEnd: after.areAll, known }
  }

  /**
   * The facts from one instant on, in order, page by page, each of whole instants; first those before it that matter to what
   * comes then. Pages are large up to the second instant, and small from there on: the reader stops where it has enough.
   */
  async *from(
    switchId: ObjectId,
    fromMs: number,
    toMs: number,
    throughSequence?: number,
  ): AsyncGenerator<readonly Fact[], void, undefined> {
    const beside = { ...nothingBeside, throughSequence }
    yield (await this.#back(switchId, { ...always, beforeMs: fromMs }, beside, fewFacts)).facts
    yield* this.#pages.pages(switchId, { afterMs: fromMs - 1, beforeMs: toMs }, 1, beside, largestPage)
    yield* this.#pages.pages(switchId, { ...always, afterMs: toMs - 1 }, 1, beside, fewFacts)
  }

  /** @throws DatabaseError `ARCHIVED` if entries of the instant may be archived. */
  async refuseArchived(switchId: ObjectId, atMs: number, beside: Beside): Promise<void> {
    const untilMs = await this.archivedUntilMs(switchId, beside)
    if (untilMs !== undefined && atMs <= untilMs) throw archived(switchId, untilMs)
  }

  /** Before which instant entries of a switch may be archived, epoch milliseconds; undefined if none is. */
  async archivedUntilMs(
    switchId: ObjectId,
    { session }: Pick<Beside, 'session'> = nothingBeside,
  ): Promise<number | undefined> {
    const archivedUntil = await this.archivedUntil([switchId], session)
    return archivedUntil.get(switchId.toHexString())
  }

  /** The same for many switches, by their ids. */
  archivedUntil(
    switchIds: readonly ObjectId[],
    session: ClientSession | undefined,
  ): Promise<ReadonlyMap<string, number>> {
    return this.#query.run((inside) => this.#archivedUntil(switchIds, inside), session)
  }

  /**
   * All facts in ranges of time, by the ids of their switches; undefined if there are too many to read them at one go.
   * @param spans Finite, and apart from each other.
   */
  within(
    spans: readonly (TimeSpan & { readonly switchId: ObjectId })[],
    session: ClientSession | undefined,
  ): Promise<Map<string, Fact[]> | undefined> {
    return this.#query.within(spans, session)
  }

  /** The facts before the range's end, back to where what lies before them no longer matters. */
  async #back(switchId: ObjectId, range: Range, beside: Beside, firstLimit: number): Promise<ReadFacts> {
    const read = await this.#pages.until(switchId, range, -1, beside, firstLimit)
    // Asked for afterwards: what was archived meanwhile may be missing.
    const untilMs = await this.archivedUntilMs(switchId, beside)
    if (untilMs === undefined) return read
    const isHere = ({ atMs }: Fact) => atMs > untilMs
    const facts = read.facts.filter(isHere)
    if (partTheirNeighbours(facts)) return { facts, near: read.near.filter(isHere), areAll: false }
    throw archived(switchId, untilMs)
  }
}

/** Where what was read without a hole begins. */
function startOf({ facts, near, areAll }: ReadFacts, otherwiseMs = Number.POSITIVE_INFINITY): number {
  return areAll && near === facts ? Number.NEGATIVE_INFINITY : (near[0]?.atMs ?? otherwiseMs)
}

/** Where what was read without a hole ends. */
function endOf({ facts, near, areAll }: ReadFacts, otherwiseMs: number): number {
  return areAll && near === facts ? Number.POSITIVE_INFINITY : (near.at(-1)?.atMs ?? otherwiseMs)
}

/** What is thrown where entries would be needed that are archived. */
export function archived(switchId: ObjectId, untilMs: number): DatabaseError {
  return new DatabaseError(
    'ARCHIVED',
    `What the switch ${switchId.toHexString()} did before ${new Date(untilMs).toISOString()} is archived, and not known here`,
  )
}

interface Telling {
  readonly entry: FactEntry
  readonly fact: Fact
}

function newerOf(newest: Telling | undefined, entry: FactEntry): Telling | undefined {
  const fact = factOf(entry)
  if (fact === undefined) return newest
  return newest === undefined || compareFacts(newest.fact, fact) < 0 ? { entry, fact } : newest
}
