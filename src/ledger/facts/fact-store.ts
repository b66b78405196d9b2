import type { ClientSession, Collection, Document, Filter, ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { inSession } from '../../core/repository/reader.js'
import type { LedgerEntry } from '../entry/entry.js'
import { compareFacts, type Fact, type FactEntry, factOf, inOrder } from './fact.js'
import { partTheirNeighbours } from './fact-run.js'
import { areStanding, sameReading } from './standing-counter.js'
import { energyEntryOf } from './stored-fact.js'
import { always, beyond, isWithin, type Range, upTo } from './time-range.js'

/** A fact that is no counter reading parts what is before it from what comes after it, so one or two are enough. */
const fewFacts = 3
const someReadings = 16
const largestPage = 5000
/** A fact with no more facts after it than these is late as it happens among several writers, and others will be too. */
const largestLateness = 256
/** A page that so many entries were asked for, and whose counter stood still, is worth a look for the end of that. */
const worthSkipping = 64

/** Entries that say nothing about energy, as far as the server can tell: see {@link factOf}. */
const notFacts: readonly Document[] = [
  { eventType: { $in: ['manual_adjustment', 'erasure'] } },
  { energySource: 'rated', eventType: 'power_reading' },
  { energySource: { $in: ['power', 'counter'] }, eventType: { $in: ['switch_on', 'switch_off'] } },
]

/** What a chain knows and the store does not: facts that are built but not stored, and the transaction that it is in. */
export interface Beside {
  readonly unstored: readonly Fact[]
  readonly session: ClientSession | undefined
  /** Entries of a higher sequence number are left out. */
  readonly throughSequence?: number | undefined
}

const nothingBeside: Beside = { unstored: [], session: undefined }

/** Facts that follow each other without a hole, in order. What lies beyond them does not matter to what they were read for. */
export interface FactWindow {
  readonly facts: readonly Fact[]
  /** Whether the newest fact that there is is among them. */
  readonly toTheEnd: boolean
}

/** The readings at the far end of what need not be read, and the range after them; undefined if nothing is left. */
interface Skipped {
  readonly facts: readonly Fact[]
  readonly rest: Range | undefined
}

/** Looks for the end of what need not be read, given the last entry that was. */
type Skip = (last: FactEntry, rest: Range) => Promise<Skipped | undefined>

/** Runs a query: in its caller's transaction, say, and with its errors translated. */
export type RunQuery = <Result>(query: (session: ClientSession | undefined) => Promise<Result>) => Promise<Result>

/** Where the entries of a switch begin that are here; undefined if all are. */
export type ArchivedUntil = (switchId: ObjectId, session: ClientSession | undefined) => Promise<number | undefined>

/** Reads what the ledger says about a switch's energy, in the order of time. */
export class FactStore {
  readonly #collection: () => Collection<LedgerEntry>
  readonly #archivedUntil: ArchivedUntil
  readonly #run: RunQuery

  /**
   * @param archivedUntil Before which instant entries of a switch may be archived, epoch milliseconds.
   * @param run How queries are run that come with no session.
   */
  constructor(
    collection: () => Collection<LedgerEntry>,
    archivedUntil: ArchivedUntil,
    run: RunQuery = (query) => query(undefined),
  ) {
    this.#collection = collection
    this.#archivedUntil = archivedUntil
    this.#run = run
  }

  /** The newest entry that says something about energy. */
  async latest(switchId: ObjectId): Promise<FactEntry | undefined> {
    for (let limit = fewFacts; ; limit *= 4) {
      const entries = await this.#read(switchId, always, -1, limit, nothingBeside)
      const newest = entries.reduce<Telling | undefined>(newerOf, undefined)
      const reachedMs = entries.at(-1)?.timestamp.getTime()
      // Others of the same instant may follow, in any order.
      const isSure = entries.length < limit || (newest !== undefined && reachedMs !== newest.fact.atMs)
      if (isSure) return newest?.entry
    }
  }

  /** The newest facts among the entries up to a sequence number. */
  newestThrough(switchId: ObjectId, throughSequence: number): Promise<readonly Fact[]> {
    return this.newest(switchId, { ...nothingBeside, throughSequence })
  }

  /** The newest facts: a meter that has taken them stands as if it had taken all. */
  newest(switchId: ObjectId, beside: Beside): Promise<readonly Fact[]> {
    return this.#back(switchId, always, beside, someReadings)
  }

  /**
   * The newest facts, back to one before a fact that comes late; undefined if there are too many after it for that to be
   * worth its while.
   */
  async backTo(switchId: ObjectId, { atMs }: Fact, beside: Beside): Promise<readonly Fact[] | undefined> {
    const entries = await this.#read(switchId, always, -1, largestLateness, beside)
    const isAll = entries.length < largestLateness
    const whole = isAll ? entries : withoutLastInstant(entries)
    const oldestMs = isAll ? Number.NEGATIVE_INFINITY : (whole.at(-1)?.timestamp.getTime() ?? Number.POSITIVE_INFINITY)
    if (oldestMs >= atMs) return undefined
    const untilMs = (await this.#archivedUntilMs(switchId, beside)) ?? Number.NEGATIVE_INFINITY
    const unstored = beside.unstored.filter((fact) => fact.atMs >= oldestMs)
    return inOrder([...whole.flatMap((entry) => factOf(entry) ?? []), ...unstored]).filter(
      (fact) => fact.atMs > untilMs,
    )
  }

  /** The facts around a new one, as far as it can make a difference to what they come to. */
  async around(switchId: ObjectId, { atMs, counter }: Fact, beside: Beside): Promise<FactWindow> {
    const page = counter === undefined ? fewFacts : someReadings
    const readBefore = () => this.#back(switchId, { ...always, beforeMs: atMs }, beside, page)
    // Readings of one instant decide together, so those of the new fact's own instant part nothing.
    const readAfter = () => this.#until(switchId, { ...always, afterMs: atMs - 1 }, 1, beside, page, atMs)
    // A session can serve only one at a time.
    const [before, after] =
      beside.session === undefined
        ? await Promise.all([readBefore(), readAfter()])
        : [await readBefore(), await readAfter()]
    return { facts: [...before, ...after.facts], toTheEnd: after.areAll }
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
    yield await this.#back(switchId, { ...always, beforeMs: fromMs }, beside, fewFacts)
    yield* this.#pages(switchId, { afterMs: fromMs - 1, beforeMs: toMs }, 1, beside, largestPage)
    yield* this.#pages(switchId, { ...always, afterMs: toMs - 1 }, 1, beside, fewFacts)
  }

  /** @throws DatabaseError `ARCHIVED` if entries of the instant may be archived. */
  async refuseArchived(switchId: ObjectId, atMs: number, beside: Beside): Promise<void> {
    const untilMs = await this.#archivedUntilMs(switchId, beside)
    if (untilMs !== undefined && atMs <= untilMs) throw archived(switchId, untilMs)
  }

  #archivedUntilMs(switchId: ObjectId, { session }: Beside): Promise<number | undefined> {
    const ask = (inside: ClientSession | undefined) => this.#archivedUntil(switchId, inside)
    return session === undefined ? this.#run(ask) : ask(session)
  }

  /** The facts before the range's end, back to where what lies before them no longer matters. */
  async #back(switchId: ObjectId, range: Range, beside: Beside, firstLimit: number): Promise<readonly Fact[]> {
    const { facts } = await this.#until(switchId, range, -1, beside, firstLimit)
    // Asked for afterwards: what was archived meanwhile may be missing.
    const untilMs = await this.#archivedUntilMs(switchId, beside)
    if (untilMs === undefined) return facts
    const complete = facts.filter(({ atMs }) => atMs > untilMs)
    if (partTheirNeighbours(complete)) return complete
    throw archived(switchId, untilMs)
  }

  /** The facts from one end of the range to where what lies beyond them no longer matters. */
  async #until(
    switchId: ObjectId,
    range: Range,
    direction: 1 | -1,
    beside: Beside,
    firstLimit: number,
    ignoredMs?: number,
  ): Promise<{ facts: readonly Fact[]; areAll: boolean }> {
    let facts: readonly Fact[] = []
    // Each page is larger than all before it, so judging them again with it is no more than twice the work.
    const skip: Skip = (last, rest) => this.#endOfStanding(switchId, rest, direction, last, beside)
    for await (const page of this.#pages(switchId, range, direction, beside, firstLimit, skip)) {
      facts = direction === 1 ? [...facts, ...page] : [...page, ...facts]
      if (partTheirNeighbours(facts.filter(({ atMs }) => atMs !== ignoredMs))) return { facts, areAll: false }
    }
    return { facts, areAll: true }
  }

  /**
   * Where a counter stands still, for months it may be: the readings at the far end of that, and the range beyond them. The
   * server looks for it; it takes it a fraction of the time that reading takes.
   */
  async #endOfStanding(
    switchId: ObjectId,
    rest: Range,
    direction: 1 | -1,
    last: FactEntry,
    beside: Beside,
  ): Promise<Skipped | undefined> {
    const [other] = await this.#read(switchId, rest, direction, 1, beside, [sameReading(last)])
    const otherMs = other?.timestamp.getTime()
    const standing = otherMs === undefined ? rest : upTo(rest, otherMs, direction)
    const entries = await this.#read(switchId, standing, direction === 1 ? -1 : 1, someReadings, beside)
    const whole = entries.length < someReadings ? entries : withoutLastInstant(entries)
    if (whole.length === 0 && entries.length > 0) return undefined
    const facts = inOrder(whole.flatMap((entry) => factOf(entry) ?? []))
    // What ended it is part of what follows, and all of its instant.
    return { facts, rest: otherMs === undefined ? undefined : beyond(rest, otherMs - direction, direction) }
  }

  /** Pages of whole instants, one after the other in the direction, each in order. */
  async *#pages(
    switchId: ObjectId,
    range: Range,
    direction: 1 | -1,
    beside: Beside,
    firstLimit: number,
    skip?: Skip,
  ): AsyncGenerator<Fact[], void, undefined> {
    const { unstored } = beside
    let rest = range
    for (let limit = firstLimit; ; limit = Math.max(limit, Math.min(4 * limit, largestPage))) {
      const entries = await this.#read(switchId, rest, direction, limit, beside)
      const isLast = entries.length < limit
      const whole = isLast ? entries : withoutLastInstant(entries)
      const reachedMs = whole.at(-1)?.timestamp.getTime()
      if (!isLast && reachedMs === undefined) {
        // All of them are of one instant: it takes a larger page to see where it ends.
        limit *= 4
        continue
      }
      const next = isLast || reachedMs === undefined ? undefined : beyond(rest, reachedMs, direction)
      const isInPage = ({ atMs }: Fact) => isWithin(rest, atMs) && (next === undefined || !isWithin(next, atMs))
      const page = inOrder([...whole.flatMap((entry) => factOf(entry) ?? []), ...unstored.filter(isInPage)])
      yield page
      if (next === undefined) return
      rest = next
      const last = whole.at(-1)
      if (skip === undefined || last === undefined || limit < worthSkipping || !areStanding(page)) continue
      if (unstored.some(({ atMs }) => isWithin(next, atMs))) continue
      const skipped = await skip(last, next)
      if (skipped === undefined) continue
      yield [...skipped.facts]
      if (skipped.rest === undefined) return
      rest = skipped.rest
    }
  }

  async #read(
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
    const options = { raw: true, sort: { timestamp: direction }, limit, batchSize: limit + 1 } as const
    const query = (inside: ClientSession | undefined) =>
      this.#collection()
        .find(filter as Filter<LedgerEntry>, { ...options, ...inSession(inside) })
        .toArray() as Promise<unknown>
    const stored = await (session === undefined ? this.#run(query) : query(session))
    return (stored as Buffer[]).map((buffer) => energyEntryOf({ buffer, start: 0, length: buffer.length }))
  }
}

function archived(switchId: ObjectId, untilMs: number): DatabaseError {
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

/** The entries up to the last instant among them, which may go on after them. */
function withoutLastInstant(entries: readonly FactEntry[]): FactEntry[] {
  const lastMs = entries.at(-1)?.timestamp.getTime()
  return entries.slice(
    0,
    entries.findIndex(({ timestamp }) => timestamp.getTime() === lastMs),
  )
}
