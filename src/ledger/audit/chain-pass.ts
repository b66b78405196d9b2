import { entryFormatVersions } from '../entry/format-version.js'
import { genesisHash } from '../entry/hash.js'
import {
  carriedHash,
  chainKey,
  computedHash,
  formatVersionOf,
  isLaidOut,
  previousHash,
  type StoredBytes,
  sequenceOf,
} from '../entry/stored-bytes.js'

/** Where a chain begins that is not read from its first entry on. */
export interface ChainStart {
  /** The last entry before it. */
  readonly sequence: number
  readonly hash: string
}

/** A chain as far as it has been followed. */
export class FollowedChain {
  /** The last entry that follows from those before it. */
  sequence: number
  hash: string
  /** Entries that came before those that they follow on; they are few, unless some are missing. */
  early: Map<number, { readonly previous: string; readonly hash: string }> | undefined

  readonly startSequence: number
  readonly listener: EntryListener | undefined

  constructor({ sequence, hash }: ChainStart, listener: EntryListener | undefined) {
    this.listener = listener
    this.startSequence = sequence
    this.sequence = sequence
    this.hash = hash
  }
}

/** Told of each entry of a chain that has the hash it carries. */
export type EntryListener = (sequence: number, hash: string) => void

const beginning: ChainStart = { sequence: 0, hash: genesisHash }

/**
 * Follows every chain through entries that come in any order, hashing each. It finds which chains are damaged, not how:
 * those are to be looked at by themselves.
 */
export class ChainPass {
  readonly chains = new Map<string, FollowedChain>()
  /** The keys of chains that something is wrong with. */
  readonly suspects = new Set<string>()
  /** Whether there are documents that do not look like entries: which chain they are of is not known. */
  hasStrangers = false
  entries = 0
  readonly #starts: ReadonlyMap<string, ChainStart>
  readonly #listenerOf: ((chain: string) => EntryListener) | undefined

  constructor(starts: ReadonlyMap<string, ChainStart> = new Map(), listenerOf?: (chain: string) => EntryListener) {
    this.#starts = starts
    this.#listenerOf = listenerOf
  }

  take(entry: StoredBytes): void {
    this.entries += 1
    if (!isLaidOut(entry)) {
      this.hasStrangers = true
      return
    }
    const key = chainKey(entry)
    const sequence = sequenceOf(entry)
    const hash = computedHash(entry)
    const chain = this.chains.get(key) ?? this.#begin(key)
    if (hash !== carriedHash(entry) || !entryFormatVersions.has(formatVersionOf(entry))) this.suspects.add(key)
    else chain.listener?.(sequence, hash)
    this.#follow(key, chain, sequence, previousHash(entry), hash)
  }

  /** To be called when all entries were taken. */
  end(): void {
    for (const [key, chain] of this.chains) if (chain.early !== undefined) this.suspects.add(key)
  }

  #begin(key: string): FollowedChain {
    const chain = new FollowedChain(this.#starts.get(key) ?? beginning, this.#listenerOf?.(key))
    this.chains.set(key, chain)
    return chain
  }

  #follow(key: string, chain: FollowedChain, sequence: number, previous: string, hash: string): void {
    // Archived already, and not removed yet.
    if (sequence >= 1 && sequence <= chain.startSequence) return
    if (sequence !== chain.sequence + 1) {
      this.#keep(key, chain, sequence, previous, hash)
      return
    }
    if (previous !== chain.hash) this.suspects.add(key)
    chain.sequence = sequence
    chain.hash = hash
    if (chain.early !== undefined) this.#followEarly(key, chain, chain.early)
  }

  #keep(key: string, chain: FollowedChain, sequence: number, previous: string, hash: string): void {
    chain.early ??= new Map()
    // A place that is behind already, or taken: there are two of one number.
    if (!(sequence > chain.sequence) || chain.early.has(sequence)) this.suspects.add(key)
    chain.early.set(sequence, { previous, hash })
  }

  #followEarly(key: string, chain: FollowedChain, early: NonNullable<FollowedChain['early']>): void {
    for (;;) {
      const next = early.get(chain.sequence + 1)
      if (next === undefined) break
      if (next.previous !== chain.hash) this.suspects.add(key)
      early.delete(chain.sequence + 1)
      chain.sequence += 1
      chain.hash = next.hash
    }
    if (early.size === 0) chain.early = undefined
  }
}
