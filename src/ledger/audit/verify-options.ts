import type { ObjectId } from 'mongodb'
import type { WitnessPolicy } from '../log/witness-policy.js'

export interface VerifyProgress {
  /** Entries that were read and hashed so far. */
  readonly entries: number
}

export interface VerifyOptions {
  /** A checkpoint that you have verified before, kept outside the database: the ledger has to go on from it. */
  readonly knownCheckpoint?: string
  /** With `knownCheckpoint`: reads only what was added since. */
  readonly onlySince?: boolean
  /** Only the chains of these switches: only their entries are read. */
  readonly switchIds?: readonly (ObjectId | string)[]
  /**
   * Only the chains that have entries of this device; also if the device is another one by now. Everything is read, because
   * only an entry that verifies says whose it is.
   */
  readonly deviceId?: ObjectId | string
  /** The same for a classroom. */
  readonly classroom?: ObjectId | string
  /** Whether the registers of every entry are recomputed from the facts of its chain. @default true */
  readonly registers?: boolean
  /** Which witnesses have to have signed the newest checkpoint. */
  readonly witnessPolicy?: WitnessPolicy
  /** Ends the verification; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called after each batch of entries. */
  readonly onProgress?: (progress: VerifyProgress) => void
}
