import { setTimeout as sleep } from 'node:timers/promises'

/** Writes after which a chain that nobody else was seen to write to is taken to be ours alone again. */
const calmWrites = 30
/** All times here are in writes, as long as they take of late: a writer that has lost its turn waits for at most so long. */
const longestWait = 8
/** Turns that are lost further apart are nobody's contest, and no reason to wait. */
const rareAfter = 2 * longestWait
/** For so long a writer whose wait is over tries again at once, until those whose turn it was have noticed. */
const takingOver = 4
const longestWaitMs = 250

/**
 * Remembers which chains others append to as well, and takes turns with them. Whoever has just written knows where its chains
 * end, and goes on without a pause, until somebody else is first; then it waits. So a writer keeps the chains for some
 * writes, and nobody looks at them in vain meanwhile; which writer is next is left to chance. None of this is needed for the
 * chains to stay whole: that is the unique index's work.
 */
export class Contention {
  readonly #chains = new Map<string, number>()
  #writeMs = 5
  /** Where our next turn begins, or the present one began. */
  #turnAt = Number.NEGATIVE_INFINITY

  /** Somebody else was first. */
  collided(chain: string): void {
    this.#chains.set(chain, calmWrites)
    const now = performance.now()
    const heldFor = (now - this.#turnAt) / this.#writeMs
    if (heldFor < takingOver) return
    this.#turnAt = now
    if (heldFor < rareAfter) this.#turnAt += Math.random() * Math.min(longestWaitMs, longestWait * this.#writeMs)
  }

  /** Resolves when it is our turn to try again. */
  async turn(): Promise<void> {
    for (;;) {
      const waitMs = this.#turnAt - performance.now()
      if (waitMs <= 0) return
      await sleep(waitMs)
    }
  }

  /** Nobody was in the way. */
  passed(chains: Iterable<string>, tookMs: number): void {
    this.#writeMs += (tookMs - this.#writeMs) / 8
    for (const chain of chains) {
      const left = this.#chains.get(chain)
      if (left === undefined) continue
      if (left <= 1) this.#chains.delete(chain)
      else this.#chains.set(chain, left - 1)
    }
  }

  /**
   * Items in groups that can be written on their own: those of calm chains, and those of contended ones. The latter in one
   * order of the chains in all processes: who comes too late learns so at the first of them, before anything is done in vain.
   */
  groups<Item extends { readonly chain: string }>(items: readonly Item[]): Item[][] {
    if (this.#chains.size === 0) return [[...items]]
    const calm = items.filter(({ chain }) => !this.#chains.has(chain))
    const contended = items.filter(({ chain }) => this.#chains.has(chain))
    contended.sort((a, b) => (a.chain < b.chain ? -1 : a.chain > b.chain ? 1 : 0))
    return [calm, contended].filter(({ length }) => length > 0)
  }

  has(chain: string): boolean {
    return this.#chains.has(chain)
  }
}
