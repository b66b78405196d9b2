import type { ObjectId } from 'mongodb'
import { type Fact, type FactEntry, factOf, inOrder } from './fact.js'
import type { Beside, FactQuery } from './fact-query.js'
import { partTheirNeighbours } from './fact-run.js'
import { areStanding, sameReading } from './standing-counter.js'
import { beyond, isWithin, type Range, upTo } from './time-range.js'

export const someReadings = 16
export const largestPage = 5000
/** A page that so many entries were asked for, and whose counter stood still, is worth a look for the end of that. */
const worthSkipping = 64

/** Facts in order, beyond which nothing matters to what they were read for. */
export interface ReadFacts {
  readonly facts: readonly Fact[]
  /** Those of them that follow each other without a hole, from where the reading began. */
  readonly near: readonly Fact[]
  /** Whether nothing lies beyond them. */
  readonly areAll: boolean
}

/** The readings at the far end of what need not be read, and the range after them; undefined if nothing is left. */
interface Skipped {
  readonly facts: readonly Fact[]
  readonly rest: Range | undefined
}

/** Looks for the end of what need not be read, given the last entry that was. */
type Skip = (last: FactEntry, rest: Range) => Promise<Skipped | undefined>

/** Reads the facts of a switch page by page, as far as they are needed. */
export class FactPages {
  readonly #query: FactQuery

  constructor(query: FactQuery) {
    this.#query = query
  }

  /** The facts from one end of the range to where what lies beyond them no longer matters. */
  async until(
    switchId: ObjectId,
    range: Range,
    direction: 1 | -1,
    beside: Beside,
    firstLimit: number,
    ignoredMs?: number,
  ): Promise<ReadFacts> {
    let facts: readonly Fact[] = []
    let near: readonly Fact[] | undefined
    const skip: Skip = async (last, rest) => {
      const skipped = await this.#endOfStanding(switchId, rest, direction, last, beside)
      if (skipped !== undefined) near ??= facts
      return skipped
    }
    // Each page is larger than all before it, so judging them again with it is no more than twice the work.
    for await (const page of this.pages(switchId, range, direction, beside, firstLimit, skip)) {
      facts = direction === 1 ? [...facts, ...page] : [...page, ...facts]
      if (partTheirNeighbours(facts.filter(({ atMs }) => atMs !== ignoredMs)))
        return { facts, near: near ?? facts, areAll: false }
    }
    return { facts, near: near ?? facts, areAll: true }
  }

  /** Pages of whole instants, one after the other in the direction, each in order. */
  async *pages(
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
      const entries = await this.#query.page(switchId, rest, direction, limit, beside)
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
    const [other] = await this.#query.page(switchId, rest, direction, 1, beside, [sameReading(last)])
    const otherMs = other?.timestamp.getTime()
    const standing = otherMs === undefined ? rest : upTo(rest, otherMs, direction)
    const entries = await this.#query.page(switchId, standing, direction === 1 ? -1 : 1, someReadings, beside)
    const whole = entries.length < someReadings ? entries : withoutLastInstant(entries)
    if (whole.length === 0 && entries.length > 0) return undefined
    const facts = inOrder(whole.flatMap((entry) => factOf(entry) ?? []))
    // What ended it is part of what follows, and all of its instant.
    return { facts, rest: otherMs === undefined ? undefined : beyond(rest, otherMs - direction, direction) }
  }
}

/** The entries up to the last instant among them, which may go on after them. */
function withoutLastInstant(entries: readonly FactEntry[]): FactEntry[] {
  const lastMs = entries.at(-1)?.timestamp.getTime()
  return entries.slice(
    0,
    entries.findIndex(({ timestamp }) => timestamp.getTime() === lastMs),
  )
}
