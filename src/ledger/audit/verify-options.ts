import type { ObjectId } from 'mongodb'

export interface VerifyProgress {
  /** Entries that were read and hashed so far. */
  readonly entries: number
}

export interface VerifyOptions {
  /** A checkpoint that you have verified before, kept outside the database: the ledger has to go on from it. */
  readonly knownCheckpoint?: string
  /** With `knownCheckpoint`: reads only what was added since. */
  readonly onlySince?: boolean
  /** Only the chains of these switches. */
  readonly switchIds?: readonly (ObjectId | string)[]
  /** Only the chains whose last entry is of this device. */
  readonly deviceId?: ObjectId | string
  /** Only the chains that have entries of this classroom. */
  readonly classroom?: ObjectId | string
  /** Ends the verification; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called after each batch of entries. */
  readonly onProgress?: (progress: VerifyProgress) => void
}
