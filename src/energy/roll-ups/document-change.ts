import type { Document } from 'mongodb'

/** A document as it was read, and what it is to become; undefined where there is none. */
export interface DocumentChange<Stored, Fields> {
  readonly before: Stored | undefined
  readonly after: Fields | undefined
  /** The fields that are to be set, by their paths; undefined where the whole document is written. */
  readonly set?: Document
}
