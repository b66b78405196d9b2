import type { TreeHead } from '../log/checkpoint-text.js'
import type { ChainStart, EntryListener } from './chain-pass.js'

/** What the signed tree says of the entries. */
export interface Evidence {
  /** The newest checkpoint that is signed and has the root of the tree. */
  readonly newest: TreeHead | undefined
  /** Where chains begin that are not read from their first entry on. */
  readonly starts: ReadonlyMap<string, ChainStart>
  /** Chains that the tree says something else of than their entries. */
  readonly suspects: ReadonlySet<string>
  /** Entries that the tree was found to have. */
  readonly matched: number
  /** Compares the entries of a chain with the tree, at once or with the next {@link flush}. */
  listenerOf(chain: string): EntryListener
  flush(): Promise<void>
  /** The chains that the tree covers, and the last entry of each that it does. */
  covered(): Iterable<readonly [chain: string, lastSequence: number]>
  /** The hashes that the tree has for a chain's entries after its start. */
  signedHashes(chain: string): Promise<ReadonlyMap<number, string>>
}
