import { compareFacts, type Fact } from './fact.js'

/** Facts that are kept of a chain whose facts come in order, and of one where some come late. */
const fewFacts = 4
const manyFacts = 256

/** The newest facts of a chain, without a hole from the first of them on: a fact that comes a little late falls among them. */
export class RecentFacts {
  readonly #facts: Fact[]
  #room: number

  /** @param facts In order. */
  constructor(facts: readonly Fact[]) {
    this.#facts = [...facts]
    this.#room = Math.max(fewFacts, facts.length)
  }

  /** Takes down a fact that became an entry, wherever it falls. */
  add(fact: Fact): void {
    const facts = this.#facts
    const at = this.#placeOf(fact)
    // Before the first of them there may be others that are not known.
    if (at === 0 && facts.length > 0) return
    if (at < facts.length) this.#room = manyFacts
    facts.splice(at, 0, fact)
    while (facts.length > this.#room) facts.shift()
  }

  /** Takes down facts that other writers' entries tell of: ours may have happened before them. */
  addOfOthers(facts: readonly Fact[]): void {
    if (facts.length > 0) this.#room = manyFacts
    for (const fact of facts) this.add(fact)
  }

  /** In order. */
  get all(): readonly Fact[] {
    return this.#facts
  }

  /** Takes out facts that did not become entries. */
  drop(facts: readonly Fact[]): void {
    if (facts.length === 0) return
    const dropped = new Set(facts)
    this.#facts.splice(0, this.#facts.length, ...this.#facts.filter((fact) => !dropped.has(fact)))
  }

  /** The facts just before and just after; undefined if one of them is not known. */
  neighboursOf(fact: Fact): { readonly before: Fact; readonly after: Fact } | undefined {
    const at = this.#placeOf(fact)
    const [before, after] = [this.#facts[at - 1], this.#facts[at]]
    return before === undefined || after === undefined ? undefined : { before, after }
  }

  /** How many of them come before the fact. */
  #placeOf(fact: Fact): number {
    let at = this.#facts.length
    while (at > 0 && compareFacts(this.#facts[at - 1] as Fact, fact) > 0) at -= 1
    return at
  }
}
