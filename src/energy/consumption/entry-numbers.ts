import type { Fact } from '../../ledger/facts/fact.js'
import type { EnergyStretch } from '../../metering/index.js'
import type { EntryEnds } from './interval-builder.js'

/** Which entries of a chain the facts are from that stretches still to come may begin or end with. */
export class EntryNumbers {
  /** By instant, ascending. */
  readonly #numbers = new Map<number, number>()
  /** The instant of the last reading of zero of a counter, if more than one came without a break. */
  #repeatedZeroMs: number | undefined
  #wasZero = false

  /** Takes the next facts, in order; of facts of one instant the last counts. */
  add(facts: readonly Fact[]): void {
    for (const { atMs, entrySequence, counter, energyWh } of facts) {
      const isZero = counter !== undefined && energyWh === 0
      // A counter may show zeros for months, and stretches begin only with the first or the last of them.
      if (isZero && this.#wasZero && this.#repeatedZeroMs !== undefined) this.#numbers.delete(this.#repeatedZeroMs)
      this.#repeatedZeroMs = isZero && this.#wasZero ? atMs : undefined
      this.#wasZero = isZero
      if (entrySequence !== undefined) this.#numbers.set(atMs, entrySequence)
    }
  }

  /** The entries at which a stretch begins and ends. */
  endsOf({ fromMs, toMs }: Pick<EnergyStretch, 'fromMs' | 'toMs'>): EntryEnds {
    const first = this.#numbers.get(fromMs) ?? this.#before(fromMs)
    return { first, last: this.#numbers.get(toMs) ?? this.#after(toMs) ?? first }
  }

  /** No stretch that is still to come begins before this instant. */
  forgetBefore(instantMs: number): void {
    let last: readonly [number, number] | undefined
    for (const entry of this.#numbers) {
      if (entry[0] >= instantMs) break
      if (last !== undefined) this.#numbers.delete(last[0])
      last = entry
    }
  }

  /** Of a stretch that begins within a silence: the entry before. */
  #before(instantMs: number): number {
    let number = 1
    for (const [atMs, found] of this.#numbers) {
      if (atMs > instantMs) break
      number = found
    }
    return number
  }

  /** Of a stretch that ends where a silence begins: the entry that reported it. */
  #after(instantMs: number): number | undefined {
    for (const [atMs, found] of this.#numbers) if (atMs > instantMs) return found
    return undefined
  }
}
