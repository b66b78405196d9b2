/** A checkpoint to be kept outside the database. */
export interface PublishedCheckpoint {
  /** The signed note. */
  readonly note: string
  readonly size: number
  /** What proves to somebody who knows the tree of an earlier size that this one goes on from it; in base64. */
  consistencyFrom(size: number): Promise<readonly string[]>
}

/** Anchored checkpoint: what an anchor keeps. */
export interface AnchoredCheckpoint {
  readonly note: string
  readonly anchoredAt: Date
}

/**
 * A place outside the database where checkpoints are kept: one who can write to the database cannot take back what is
 * there. `fileAnchor` and `witnessAnchor` are two; a host can have its own.
 */
export interface Anchor {
  /** Identifies the anchor. */
  readonly name: string
  /**
   * Keeps the checkpoint; called again if it failed, and not for every checkpoint if several came meanwhile. One that cannot be
   * asked for its newest may get the same again, from another process or after a restart.
   * @returns the lines of the note with the anchor's own signatures, if it signs.
   */
  publish(checkpoint: PublishedCheckpoint): Promise<readonly string[] | undefined>
  /**
   * The newest that is kept; undefined if there is none. It is asked before anything is signed, and nothing is while it fails.
   * An anchor without it is written to, and not compared with.
   */
  newest?(): Promise<AnchoredCheckpoint | undefined>
}
