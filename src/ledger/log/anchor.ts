/** A checkpoint to be kept outside the database. */
export interface PublishedCheckpoint {
  /** The signed note. */
  readonly note: string
  readonly size: number
  /** What proves to somebody who knows the tree of an earlier size that this one goes on from it; in base64. */
  consistencyFrom(size: number): Promise<readonly string[]>
}

/** What an anchor keeps. */
export interface AnchoredCheckpoint {
  readonly note: string
  readonly anchoredAt: Date
}

/**
 * A place outside the database where checkpoints are kept: whoever can write to the database cannot take back what is
 * there. `fileAnchor` and `witnessAnchor` are two; a host can have its own.
 */
export interface Anchor {
  /** Tells anchors apart. */
  readonly name: string
  /**
   * Keeps the checkpoint; called again if it failed, and not for every checkpoint if several came meanwhile.
   * @returns lines of a signed note that whoever keeps it has signed it with, if it does.
   */
  publish(checkpoint: PublishedCheckpoint): Promise<readonly string[] | undefined>
  /** The newest that is kept; undefined if there is none. An anchor without it is written to, and not compared with. */
  newest?(): Promise<AnchoredCheckpoint | undefined>
}
