import type { ObjectId } from 'mongodb'
import { Chain, type Stores } from './chain.js'

/**
 * With as many new entries, a chain is loaded anew, which takes three queries and forgets its facts: what others append in
 * their turns is read faster.
 */
const mostToCatchUp = 2000

/** Facts that are kept of chains with late ones. */
const mostFacts = 50_000
/** A chain with no more is not looked after. */
const fewFacts = 512

/** The chains that a writer knows, as many as it may keep. */
export class ChainCache {
  readonly #stores: Stores
  readonly #maximum: number
  readonly #noticed: (chain: string) => void
  readonly #chains = new Map<string, Chain>()
  readonly #behind = new Set<string>()
  /** Those of which many facts are known, the ones that were written to last at the end. */
  readonly #large = new Map<string, Chain>()

  /** @param noticed Called for a chain that others have appended to. */
  constructor(stores: Stores, maximum: number, noticed: (chain: string) => void) {
    this.#stores = stores
    this.#noticed = noticed
    this.#maximum = maximum
  }

  /** The chain is to be read again before it is written to. */
  forget(chain: string): void {
    this.#chains.delete(chain)
    this.#large.delete(chain)
  }

  /** Forgets facts of chains that were written to longest ago, as far as too many are known; these were written to now. */
  forgetOldFacts(written: ReadonlyMap<string, Chain>): void {
    for (const [id, chain] of written) {
      if (chain.facts.size <= fewFacts) continue
      this.#large.delete(id)
      this.#large.set(id, chain)
    }
    if (this.#large.size === 0) return
    let count = [...this.#large.values()].reduce((sum, { facts }) => sum + facts.size, 0)
    for (const [id, { facts }] of this.#large) {
      if (count <= mostFacts) return
      count -= facts.size
      facts.forgetOld()
      this.#large.delete(id)
    }
  }

  /** Others have appended to the chain, or what was built of it was not stored: it has to catch up before it is written to. */
  fallBehind(chain: string): void {
    this.#behind.add(chain)
  }

  /**
   * Chains by their ids, read from the ledger as far as they are not known. They are the asker's to use: one that is
   * forgotten meanwhile is not given out again, that is all.
   */
  async load(switchIds: ReadonlyMap<string, ObjectId>): Promise<ReadonlyMap<string, Chain>> {
    if (this.#behind.size > 0) await this.#catchUp([...switchIds.keys()].filter((chain) => this.#behind.delete(chain)))
    const missing = [...switchIds].filter(([chain]) => !this.#chains.has(chain))
    this.#makeRoom(missing.length, switchIds)
    const wanted = new Map([...switchIds.keys()].map((chain) => [chain, this.#chains.get(chain)]))
    const loaded = await Promise.all(
      missing.map(async ([chain, switchId]) => [chain, await Chain.load(switchId, this.#stores, undefined)] as const),
    )
    for (const [chain, known] of loaded) {
      this.#chains.set(chain, known)
      wanted.set(chain, known)
    }
    return wanted as ReadonlyMap<string, Chain>
  }

  async #catchUp(behind: readonly string[]): Promise<void> {
    const chains = new Map<string, Chain>()
    for (const id of behind) {
      const chain = this.#chains.get(id)
      // Should the query fail, they are read anew.
      if (this.#chains.delete(id)) chains.set(id, chain as Chain)
    }
    if (chains.size === 0) return
    const positions = [...chains.values()].map(({ storedPosition }) => storedPosition)
    const added = await this.#stores.chains.after(positions, mostToCatchUp)
    for (const [id, chain] of chains) {
      const following = added.get(id)
      if (following !== undefined) this.#noticed(id)
      const isAll = (following?.entries.length ?? 0) < mostToCatchUp
      if (isAll && chain.takeOver(following)) this.#chains.set(id, chain)
    }
  }

  /** Forgets those that have been known for longest. */
  #makeRoom(count: number, needed: ReadonlyMap<string, ObjectId>): void {
    let excess = this.#chains.size + count - this.#maximum
    for (const chain of this.#chains.keys()) {
      if (excess <= 0) return
      if (needed.has(chain)) continue
      this.#chains.delete(chain)
      excess -= 1
    }
  }
}
