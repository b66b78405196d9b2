import { type CounterRules, isSettledAfter } from '../../metering/index.js'
import { type Fact, isParting } from './fact.js'

/** Facts that are decided together: counter readings under the same rules, or one fact of another source. */
export interface FactRun {
  readonly facts: readonly Fact[]
  /** Undefined where it is no counter's. */
  readonly rules: CounterRules | undefined
}

/**
 * Facts in order, cut where the source or a counter's rules change. Counter readings of one instant stay together, under the
 * rules of the last: that is the one that counts. Signs of life between counter readings say nothing, and are left out.
 */
export function* runsOf(all: readonly Fact[]): Generator<FactRun, void, undefined> {
  const facts = withoutIdleSigns(all)
  for (let start = 0; start < facts.length; ) {
    const rules = rulesAt(facts, start)
    let end = instantEnd(facts, start)
    while (rules !== undefined && end < facts.length && areEqual(rules, rulesAt(facts, end))) {
      end = instantEnd(facts, end)
    }
    yield { facts: facts.slice(start, end), rules }
    start = end
  }
}

/**
 * Whether nothing that lies before these facts matters to what comes after them, and the other way round: a power reading and
 * a reported state part the two, and so do counter readings that settle the counter (see `isSettledAfter`). The facts are
 * complete, in order, and whole instants.
 */
export function partTheirNeighbours(facts: readonly Fact[]): boolean {
  for (const { facts: readings, rules } of runsOf(facts)) {
    if (rules === undefined ? readings.some(isParting) : isSettledAfter(readings, rules)) return true
  }
  return false
}

function withoutIdleSigns(facts: readonly Fact[]): readonly Fact[] {
  if (!facts.some(isSign)) return facts
  let before: Fact | undefined
  return facts.filter((fact, at) => {
    if (!isSign(fact)) {
      before = fact
      return true
    }
    return (
      before?.counter === undefined || facts.find((other, place) => place > at && !isSign(other))?.counter === undefined
    )
  })
}

function isSign({ counter, on }: Fact): boolean {
  return counter === undefined && on === undefined
}

function instantEnd(facts: readonly Fact[], start: number): number {
  const first = facts[start]
  let end = start + 1
  if (first?.counter === undefined) return end
  while (facts[end]?.atMs === first.atMs && facts[end]?.counter !== undefined) end += 1
  return end
}

function rulesAt(facts: readonly Fact[], start: number): CounterRules | undefined {
  return facts[instantEnd(facts, start) - 1]?.counter
}

function areEqual(a: CounterRules, b: CounterRules | undefined): boolean {
  return (
    b !== undefined && a.quantumWh === b.quantumWh && a.widthWh === b.widthWh && a.maximumPowerW === b.maximumPowerW
  )
}
