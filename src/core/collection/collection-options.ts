import type { ClientSession, Db, Document } from 'mongodb'
import type { Clock } from '../clock.js'
import type { EntityDescription } from '../entity.js'
import type { ValidatorBypass } from './validator-bypass.js'

/** Operation runner: what a collection runs its operations by. */
export interface OperationRunner {
  readonly clock: Clock
  /** The driver's database. */
  readonly native: Db
  readonly validatorBypass: ValidatorBypass
  readonly selfCheck: { noteWrite(): void }
  readonly transactions: { outside<Result>(work: () => Promise<Result>): Promise<Result> }
  /** Runs one operation in the caller's transaction, or on its own; throws our errors only. */
  run<Result>(
    entity: EntityDescription,
    operation: string,
    task: (session: ClientSession | undefined) => Promise<Result>,
  ): Promise<Result>
}

/** Collection options: how the operations of a collection are run, unless they are part of the caller's transaction. */
export interface CollectionOptions {
  /** Writes are acknowledged once a majority has journaled them, and reads go to the primary. @default as the connection says */
  readonly isDurable?: boolean
  /** Operations take no part in the caller's transaction: others must see them whatever becomes of it. @default false */
  readonly isOutside?: boolean
}

export interface StoreUpdateOptions {
  /** Stores a new document where none matches. @default false */
  readonly upsert?: boolean
  /** The index to use. @default as the server chooses */
  readonly hint?: Document
}

export interface StoreInsertOptions {
  /** Whether writes after a failed one are still tried, in any order. @default false */
  readonly isUnordered?: boolean
}

export interface StoreBulkOptions extends StoreInsertOptions {
  /**
   * Whether the library itself vouches for the documents: the server then does not check them with its validator, where the
   * role may ask for that. @default false
   */
  readonly isTrusted?: boolean
}

export interface StoreBulkCounts {
  readonly inserted: number
  readonly matched: number
  readonly modified: number
  readonly upserted: number
  readonly deleted: number
}
