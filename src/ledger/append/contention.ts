/** Writes after which a chain that nobody else was seen to write to is taken to be ours alone again. */
const calmWrites = 30

/** Remembers which chains others append to as well, so that these are written one by one and do not hold up the rest. */
export class Contention {
  readonly #chains = new Map<string, number>()

  /** Somebody else was first. */
  collided(chain: string): void {
    this.#chains.set(chain, calmWrites)
  }

  /** Nobody was in the way. */
  passed(chain: string): void {
    const left = this.#chains.get(chain)
    if (left === undefined) return
    if (left <= 1) this.#chains.delete(chain)
    else this.#chains.set(chain, left - 1)
  }

  /** Items in groups that can be written on their own: those of calm chains together, and those of each contended one. */
  groups<Item extends { readonly chain: string }>(items: readonly Item[]): Item[][] {
    if (this.#chains.size === 0) return [[...items]]
    const calm: Item[] = []
    const contended = new Map<string, Item[]>()
    for (const item of items) {
      if (!this.#chains.has(item.chain)) calm.push(item)
      else contended.set(item.chain, [...(contended.get(item.chain) ?? []), item])
    }
    // Not in one order in all processes, or they would meet again at each chain.
    const groups = [...contended.values()].sort(() => Math.random() - 0.5)
    return calm.length === 0 ? groups : [calm, ...groups]
  }

  has(chain: string): boolean {
    return this.#chains.has(chain)
  }
}
