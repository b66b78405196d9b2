import { compareFacts, type Fact, inOrder } from './fact.js'
import { partTheirNeighbours } from './fact-run.js'
import { areStanding } from './standing-counter.js'

/** A range of time, epoch milliseconds, with both its ends. Infinite where nothing lies beyond. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

/** A stretch of a switch's time of which every fact is known, in order. */
export interface FactWindow extends TimeSpan {
  readonly facts: readonly Fact[]
}

/** The facts around a new one, as far as it can make a difference to what they come to. */
export interface FactsAround {
  readonly facts: readonly Fact[]
  /** Whether the newest fact that there is is among them, and what comes after it depends on them. */
  readonly toTheEnd: boolean
}

interface Window extends FactWindow {
  readonly facts: Fact[]
}

/** The newest facts that are kept of a chain whose facts come in order, and of one where some come late. */
const fewFacts = 4
const manyFacts = 256
/** Readings of a counter that stands still that are looked at, at each end of such a run. */
const standingFacts = 16

/**
 * What is known of a chain's facts: windows apart from each other, each without a hole and of whole instants, so that a late
 * fact that falls in one of them needs no query. The last one goes on to the newest fact.
 */
export class FactWindows {
  #windows: Window[]
  #room = fewFacts

  constructor(newest: FactWindow) {
    this.#windows = [{ ...newest, facts: [...newest.facts] }]
  }

  /** The window that goes on to the newest fact. */
  get newest(): FactWindow {
    return this.#windows.at(-1) ?? nothingKnown
  }

  /** How many facts are known. */
  get size(): number {
    return this.#windows.reduce((sum, { facts }) => sum + facts.length, 0)
  }

  /** The facts around a new one; undefined if not all of them are known. */
  around(fact: Fact): FactsAround | undefined {
    // Readings of its own instant decide with it, and part nothing.
    const window = this.#windowAt(fact.atMs)
    if (window === undefined) return undefined
    const [first, end] = [countBefore(window.facts, fact.atMs), countBefore(window.facts, fact.atMs + 1)]
    const before = neededBefore(window, first)
    const after = before && neededAfter(window, end)
    if (before === undefined || after === undefined) return undefined
    return { facts: [...before.facts, ...window.facts.slice(first, end), ...after.facts], toTheEnd: after.isOpen }
  }

  /** The newest facts, a meter that has taken them stands as if it had taken all; undefined if not all of them are known. */
  tail(): readonly Fact[] | undefined {
    return neededBefore(this.newest, this.newest.facts.length)?.facts
  }

  /** Whether the fact comes among the newest ones, or after them. */
  isRecent({ atMs }: Fact): boolean {
    const { facts, fromMs } = this.newest
    return atMs >= Math.max(fromMs, facts.at(-manyFacts)?.atMs ?? fromMs)
  }

  /** What should be read to know the facts around a new one, some way further than now; nothing if they are known. */
  lacking({ atMs }: Fact, reachMs: number): TimeSpan[] {
    const window = this.#windowAt(atMs)
    if (window === undefined) return [{ fromMs: atMs - reachMs, toMs: atMs + reachMs }]
    const { facts, fromMs, toMs } = window
    const isStartKnown = neededBefore(window, countBefore(facts, atMs)) !== undefined
    const isEndKnown = neededAfter(window, countBefore(facts, atMs + 1)) !== undefined
    return [
      ...(isStartKnown ? [] : [{ fromMs: fromMs - reachMs, toMs: fromMs - 1 }]),
      ...(isEndKnown ? [] : [{ fromMs: toMs + 1, toMs: toMs + reachMs }]),
    ]
  }

  /** Learns stretches that were read. They are apart from each other. */
  learn(stretches: readonly FactWindow[]): void {
    if (stretches.length === 0) return
    const fresh = stretches.flatMap(({ facts }) => facts.filter(({ atMs }) => this.#windowAt(atMs) === undefined))
    const known = this.#windows.flatMap(({ facts }) => facts)
    this.#windows = windowsOf(joined([...this.#windows, ...stretches]), [...known, ...fresh])
  }

  /** Takes down a fact that became an entry, wherever it falls. */
  add(fact: Fact): void {
    const facts = this.#windowAt(fact.atMs)?.facts
    const isLast = facts !== undefined && facts === this.newest.facts && isAfterAll(facts, fact)
    if (!isLast) this.#room = manyFacts
    if (isLast) facts.push(fact)
    // Where it falls in no window there may be others that are not known.
    else facts?.splice(placeIn(facts, fact), 0, fact)
  }

  /** Takes down the facts in other writers' entries: ours may have happened before them. */
  addOfOthers(facts: readonly Fact[]): void {
    if (facts.length > 0) this.#room = manyFacts
    for (const fact of facts) this.add(fact)
  }

  /** Forgets all windows but the newest, and in it facts that did not become entries. */
  keepNewest(without: readonly Fact[]): void {
    const dropped = new Set(without)
    const { fromMs, toMs, facts } = this.newest
    this.#windows = [{ fromMs, toMs, facts: facts.filter((fact) => !dropped.has(fact)) }]
    this.#cut(manyFacts)
  }

  /** Forgets what is not after an instant. */
  forgetUntil(untilMs: number): void {
    this.#windows = this.#windows
      .filter(({ toMs }) => toMs > untilMs)
      .map(({ fromMs, toMs, facts }) => ({
        fromMs: Math.max(fromMs, untilMs + 1),
        toMs,
        facts: facts.slice(countBefore(facts, untilMs + 1)),
      }))
  }

  /** Keeps no more facts than are likely to be needed, where none come late. */
  trim(): void {
    if (this.#room === fewFacts) this.#cut(fewFacts)
  }

  #cut(room: number): void {
    const { facts, fromMs, toMs } = this.newest
    if (facts.length <= room) return
    const start = startOfInstant(facts, facts.length - room)
    if (start === 0) return
    this.#windows.splice(-1, 1, { fromMs: facts[start]?.atMs ?? fromMs, toMs, facts: facts.slice(start) })
  }

  #windowAt(atMs: number): Window | undefined {
    const windows = this.#windows
    let [low, high] = [0, windows.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((windows[middle]?.fromMs ?? 0) <= atMs) low = middle + 1
      else high = middle
    }
    const window = windows[low - 1]
    return window !== undefined && window.toMs >= atMs ? window : undefined
  }
}

const nothingKnown: FactWindow = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, facts: [] }

/** The spans in order, those that overlap or touch made one. */
export function joined(spans: readonly TimeSpan[]): TimeSpan[] {
  const found: { fromMs: number; toMs: number }[] = []
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = found.at(-1)
    if (last !== undefined && fromMs <= last.toMs + 1) last.toMs = Math.max(last.toMs, toMs)
    else found.push({ fromMs, toMs })
  }
  return found
}

/** The windows that the facts make which were found in these ranges, apart from each other. */
export function windowsOf(spans: readonly TimeSpan[], found: readonly Fact[]): Window[] {
  const facts = inOrder(found)
  return spans.map(({ fromMs, toMs }) => ({
    fromMs,
    toMs,
    facts: facts.slice(countBefore(facts, fromMs), countBefore(facts, toMs + 1)),
  }))
}

/** Facts to one side of a place in a window, as far as they matter to what comes at it or on the other side of it. */
interface Needed {
  readonly facts: readonly Fact[]
  /** Whether these are all to this side, and what lies on the other side may matter beyond them. */
  readonly isOpen: boolean
}

/** Those that matter before a place among the facts; undefined if they are not all known. */
function neededBefore({ facts, fromMs }: FactWindow, place: number): Needed | undefined {
  let needed: Fact[] = []
  let start = place
  for (let count = enoughOf(facts[place - 1]); ; count *= 2) {
    const end = start
    start = startOfInstant(facts, Math.max(0, end - count))
    const page = facts.slice(start, end)
    needed = [...page, ...needed]
    if (partTheirNeighbours(needed)) return { facts: needed, isOpen: false }
    if (start === 0) return fromMs === Number.NEGATIVE_INFINITY ? { facts: needed, isOpen: true } : undefined
    if (page.length >= standingFacts && areStanding(page)) start = startOfStanding(facts, start)
  }
}

/** Those that matter from a place among the facts on; undefined if they are not all known. */
function neededAfter({ facts, toMs }: FactWindow, place: number): Needed | undefined {
  let needed: Fact[] = []
  let end = place
  for (let count = enoughOf(facts[place]); ; count *= 2) {
    const start = end
    end = startOfInstant(facts, Math.min(facts.length, start + count))
    const page = facts.slice(start, end)
    needed = [...needed, ...page]
    if (partTheirNeighbours(needed)) return { facts: needed, isOpen: false }
    if (end === facts.length) return toMs === Number.POSITIVE_INFINITY ? { facts: needed, isOpen: true } : undefined
    if (page.length >= standingFacts && areStanding(page)) end = endOfStanding(facts, end)
  }
}

/** The place near the start of the readings before a place that stand as the one at it does. What is between matters to nothing. */
function startOfStanding(facts: readonly Fact[], place: number): number {
  const first = facts[place]
  let start = place
  while (start > 0 && first !== undefined && areStanding([first, facts[start - 1] as Fact])) start -= 1
  return Math.min(place, startOfInstant(facts, start + standingFacts))
}

/** The same for the end of the readings from a place on that stand as the one before it does. */
function endOfStanding(facts: readonly Fact[], place: number): number {
  const last = facts[place - 1]
  let end = place
  while (end < facts.length && last !== undefined && areStanding([last, facts[end] as Fact])) end += 1
  return Math.max(place, startOfInstant(facts, end - standingFacts))
}

/** How many facts are likely to part what is before them from what comes after. */
function enoughOf(next: Fact | undefined): number {
  return next?.counter === undefined ? 1 : 4
}

/** How many of the facts are before the instant. */
function countBefore(facts: readonly Fact[], atMs: number): number {
  return countWhile(facts, (fact) => fact.atMs < atMs)
}

function placeIn(facts: readonly Fact[], fact: Fact): number {
  return countWhile(facts, (other) => compareFacts(other, fact) <= 0)
}

function isAfterAll(facts: readonly Fact[], fact: Fact): boolean {
  const last = facts.at(-1)
  return last === undefined || compareFacts(last, fact) <= 0
}

/** How many of the first facts something holds for that holds for none after them. */
function countWhile(facts: readonly Fact[], holds: (fact: Fact) => boolean): number {
  let [low, high] = [0, facts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(facts[middle] as Fact)) low = middle + 1
    else high = middle
  }
  return low
}

/** The place, or the one further back at which its instant begins. */
function startOfInstant(facts: readonly Fact[], place: number): number {
  const atMs = facts[place]?.atMs
  let start = place
  while (start > 0 && atMs !== undefined && facts[start - 1]?.atMs === atMs) start -= 1
  return start
}
