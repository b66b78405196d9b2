import { genesisHash } from '../entry/hash.js'
import { copyHash, hashBytes, isSameHash, viewOf, viewOn } from '../entry/hash-bytes.js'
import {
  carriedHash,
  carriedHashAt,
  chainKey,
  computedHash,
  isLaidOut,
  previousHashAt,
  type StoredBytes,
  sequenceOf,
} from '../entry/stored-bytes.js'
import { entryFault } from '../entry/strict-entry.js'

/** Chain start: where a chain begins that is not read from its first entry on. */
export interface ChainStart {
  /** The last entry before it. */
  readonly sequence: number
  /** In hexadecimal. */
  readonly hash: string
}

/** Follows one chain's entries that are entries to the byte and have the hash that they carry. */
export interface ChainListener {
  /** Takes an entry, wherever it stands. */
  take(sequence: number, entry: StoredBytes): void
  /** Takes the entry that follows from all those before it. */
  follow?(entry: StoredBytes): void
  /** An entry followed whose bytes had passed by before those in front of it. */
  followLater?(sequence: number): void
}

/** A chain as far as it has been followed. */
export class FollowedChain {
  readonly startSequence: number
  readonly listener: ChainListener | undefined
  /** The last entry that follows from those before it. */
  sequence: number
  /** The hash of that one. */
  readonly hash: DataView = viewOn(new Uint8Array(hashBytes))
  /** Documents of it that were read. */
  taken = 0
  /** Those of them that the chain does not begin before. */
  beforeStart = 0
  /** Entries that came before those that they follow on; they are few, unless some are missing. */
  early: Map<number, EarlyEntry> | undefined

  constructor({ sequence, hash }: ChainStart, listener: ChainListener | undefined) {
    this.listener = listener
    this.startSequence = sequence
    this.sequence = sequence
    if (isHashText(hash)) copyHash(viewOn(Buffer.from(hash, 'hex')), 0, this.hash, 0)
  }

  /** Whether each document that was read has its place, one behind the other from the start on. */
  get isAccountedFor(): boolean {
    return this.early === undefined && this.taken === this.sequence - this.startSequence + this.beforeStart
  }
}

const isHashText = (hash: string) => /^[0-9a-f]{64}$/.test(hash)

/** The hash of the entry before it, and its own behind that. */
type EarlyEntry = DataView

/** With more, something is missing before them, or the documents are in no order. */
const mostEarly = 10_000
const beginning: ChainStart = { sequence: 0, hash: genesisHash }

export interface ChainPassParts {
  readonly starts?: ReadonlyMap<string, ChainStart>
  readonly listenerOf?: (chain: string) => ChainListener
  /** Takes what names no chain that it could be of. */
  readonly onStranger: (document: StoredBytes) => void
}

/**
 * Follows every chain through entries that come in any order, hashing each. It knows which chains are sound: every document
 * that was read of them has its place. How the others are damaged is to be looked at by themselves.
 */
export class ChainPass {
  readonly chains = new Map<string, FollowedChain>()
  /** The keys of chains that are not known to be sound. */
  readonly suspects = new Set<string>()
  entries = 0
  readonly #starts: ReadonlyMap<string, ChainStart>
  readonly #listenerOf: ((chain: string) => ChainListener) | undefined
  readonly #onStranger: (document: StoredBytes) => void

  constructor({ starts = new Map(), listenerOf, onStranger }: ChainPassParts) {
    this.#starts = starts
    this.#listenerOf = listenerOf
    this.#onStranger = onStranger
  }

  take(entry: StoredBytes): void {
    this.entries += 1
    const isEntry = entryFault(entry) === undefined
    if (!isEntry && !isLaidOut(entry)) {
      this.#onStranger(entry)
      return
    }
    const key = chainKey(entry)
    const chain = this.chains.get(key) ?? this.#begin(key)
    chain.taken += 1
    if (!isEntry || computedHash(entry) !== carriedHash(entry)) {
      this.suspects.add(key)
      return
    }
    const sequence = sequenceOf(entry)
    chain.listener?.take(sequence, entry)
    this.#follow(key, chain, entry, sequence)
  }

  /** To be called when all entries were taken. */
  end(): void {
    for (const [key, chain] of this.chains) if (!chain.isAccountedFor) this.suspects.add(key)
  }

  #begin(key: string): FollowedChain {
    const start = this.#starts.get(key) ?? beginning
    // On what is stored in place of a hash nothing follows.
    if (!isHashText(start.hash)) this.suspects.add(key)
    const chain = new FollowedChain(start, this.#listenerOf?.(key))
    this.chains.set(key, chain)
    return chain
  }

  #follow(key: string, chain: FollowedChain, entry: StoredBytes, sequence: number): void {
    // Archived already, and not removed yet: what it is was for the listener to compare.
    if (sequence >= 1 && sequence <= chain.startSequence) {
      chain.beforeStart += 1
      return
    }
    if (sequence !== chain.sequence + 1) {
      this.#keep(key, chain, entry, sequence)
      return
    }
    const view = viewOf(entry.buffer)
    if (!isSameHash(view, previousHashAt(entry), chain.hash, 0)) this.suspects.add(key)
    chain.sequence = sequence
    copyHash(view, carriedHashAt(entry), chain.hash, 0)
    chain.listener?.follow?.(entry)
    if (chain.early !== undefined) this.#followEarly(key, chain, chain.early)
  }

  #keep(key: string, chain: FollowedChain, entry: StoredBytes, sequence: number): void {
    // Its entries are looked at by themselves: they need not be kept.
    if (this.suspects.has(key)) return
    chain.early ??= new Map()
    if (chain.early.size >= mostEarly) this.suspects.add(key)
    // A place that is behind already, or taken: there are two of one number.
    if (!(sequence > chain.sequence) || chain.early.has(sequence)) this.suspects.add(key)
    const kept = viewOn(new Uint8Array(2 * hashBytes))
    copyHash(viewOf(entry.buffer), previousHashAt(entry), kept, 0)
    copyHash(viewOf(entry.buffer), carriedHashAt(entry), kept, hashBytes)
    chain.early.set(sequence, kept)
  }

  #followEarly(key: string, chain: FollowedChain, early: NonNullable<FollowedChain['early']>): void {
    for (;;) {
      const next = early.get(chain.sequence + 1)
      if (next === undefined) break
      if (!isSameHash(next, 0, chain.hash, 0)) this.suspects.add(key)
      early.delete(chain.sequence + 1)
      chain.sequence += 1
      copyHash(next, hashBytes, chain.hash, 0)
      chain.listener?.followLater?.(chain.sequence)
    }
    if (early.size === 0) chain.early = undefined
  }
}
