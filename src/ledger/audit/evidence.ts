import type { TreeHead } from '../log/checkpoint-text.js'
import type { ChainListener, ChainStart, FollowedChain } from './chain-pass.js'

/** Evidence: what the signed tree says of the entries. */
export interface Evidence {
  /** The newest checkpoint that is signed and has the root of the tree. */
  readonly newest: TreeHead | undefined
  /** Where chains begin that are not read from their first entry on. */
  readonly starts: ReadonlyMap<string, ChainStart>
  /** Entries that the tree was found to have. */
  readonly matched: number
  /** Those of some chains. */
  matchedOf(chains: readonly string[]): number
  /** Compares the entries of a chain with the tree, at once or with the next {@link flush}. */
  listenerOf(chain: string): Pick<ChainListener, 'take'>
  flush(): Promise<void>
  /** The chains that the tree does not have as they were read, or that lack entries which it has. */
  unaccounted(read: ReadonlyMap<string, FollowedChain>): Iterable<string>
}

/** Signed chain: what the tree has of a chain. */
export interface SignedChain {
  /** The hashes of its entries by their numbers. */
  readonly hashes: ReadonlyMap<number, string>
  /** The last entry that the tree covers; 0 if it covers none. */
  readonly through: number
}
