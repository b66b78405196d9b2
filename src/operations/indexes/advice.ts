import type { RecordedQuery } from '../profiler/recorded-queries.js'
import type { IndexUseOnMember } from './index-use.js'

interface AboutIndex {
  readonly collection: string
  readonly index: string
  readonly sizeBytes: number
  /** What the library declares it for; null for an index that it does not declare. `setup()` builds a declared one again. */
  readonly declaredFor: string | null
  /** How to undo what the advice says. */
  readonly undo: string
}

/** Index advice: one finding about the indexes, with what speaks for it. */
export type IndexAdvice =
  | ({ readonly kind: 'unused'; readonly members: readonly IndexUseOnMember[]; readonly daysSeen: number } & AboutIndex)
  | ({
      /** Its key is the beginning of another one's. */
      readonly kind: 'redundant'
      readonly coveredBy: string
    } & AboutIndex)
  | ({
      /** It was hidden, and nothing has missed it for as long as it is counted. */
      readonly kind: 'hidden'
      readonly daysSeen: number
    } & AboutIndex)
  | {
      /** Recorded queries read far more than they return, or sort in memory. */
      readonly kind: 'missing'
      readonly collection: string
      /** Equalities, then the sort, then ranges. */
      readonly key: Readonly<Record<string, 1 | -1>>
      readonly query: RecordedQuery
      readonly undo: string
    }
  | {
      /** The indexes are larger than the cache of the storage engine: reading them reads the disk. */
      readonly kind: 'too_large'
      readonly indexBytes: number
      readonly cacheBytes: number
      /** The five largest. */
      readonly largest: readonly { readonly collection: string; readonly index: string; readonly sizeBytes: number }[]
    }

export interface IndexAdviceReport {
  readonly advice: readonly IndexAdvice[]
  /** Of the recorded calls the share that an index served; null if none are recorded. */
  readonly hitRate: { readonly calls: number; readonly servedByIndex: number; readonly share: number } | null
  /** The members whose use of indexes could not be read: without them nothing is called unused. */
  readonly unreached: readonly string[]
}
