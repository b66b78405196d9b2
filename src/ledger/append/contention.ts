/** After so many writes without another writer a chain is taken to be uncontended again. */
const calmWrites = 30

/** The contended chains: those that other processes append to as well, and that are written to in turns. */
export class Contention {
  readonly #chains = new Map<string, number>()

  /** Somebody else appends to the chain, or waits for it. */
  noticed(chain: string): void {
    this.#chains.set(chain, calmWrites)
  }

  /** The chains were written to, and nobody was in the way. */
  passed(chains: Iterable<string>): void {
    for (const chain of chains) {
      const left = this.#chains.get(chain)
      if (left === undefined) continue
      if (left <= 1) this.#chains.delete(chain)
      else this.#chains.set(chain, left - 1)
    }
  }

  has(chain: string): boolean {
    return this.#chains.has(chain)
  }

  /** The contended chains. */
  get chains(): Iterable<string> {
    return this.#chains.keys()
  }
}
