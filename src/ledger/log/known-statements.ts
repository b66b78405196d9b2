import { DatabaseError } from '../../core/errors.js'
import type { Anchor } from './anchor.js'
import { askAnchors } from './ask-anchors.js'
import type { CheckpointStore } from './checkpoint-store.js'
import { openCheckpoint, type TreeHead, UntrustedCheckpointError } from './checkpoint-text.js'
import type { StoredCheckpoint } from './log-entities.js'
import { NoteError, type VerifierKey } from './signed-note.js'

/** Something that was signed, or is kept outside the database, and that what is signed next has to go on from. */
export interface Statement {
  readonly head: TreeHead
  /** Who says so, for messages. */
  readonly by: string
}

/** What has to be gone on from. */
export interface Known {
  /** The newest checkpoint in the database; null if there is none. */
  readonly newest: StoredCheckpoint | null
  /** What that one says. */
  readonly head: TreeHead | undefined
  readonly statements: readonly Statement[]
}

/** What is known of the checkpoints so far: in the database, by the anchors, and by this process. */
export class KnownStatements {
  readonly #checkpoints: CheckpointStore
  readonly #keys: readonly VerifierKey[]
  readonly #anchors: readonly Anchor[]
  /** The newest checkpoint that this process has signed. */
  #own: TreeHead | undefined

  constructor(checkpoints: CheckpointStore, keys: readonly VerifierKey[], anchors: readonly Anchor[]) {
    this.#checkpoints = checkpoints
    this.#keys = keys
    this.#anchors = anchors
  }

  /** To be called when a checkpoint was signed and stored. */
  signed(head: TreeHead): void {
    this.#own = head
  }

  /**
   * Asks the anchors first, then the database: what is stored meanwhile is newer than what they keep.
   * @throws DatabaseError `LEDGER_DAMAGED` if what one of them says cannot be a checkpoint before the newest one that the
   * database has; `ANCHOR_UNREACHABLE`, retryable, if an anchor that can be asked does not answer.
   */
  async ask(): Promise<Known> {
    const outside = await this.#askAnchors()
    const newest = await this.#checkpoints.newest()
    const inDatabase: Statement[] =
      newest === null ? [] : [this.#open(newest.note, 'the newest checkpoint in the database')]
    const [stored] = inDatabase
    if (newest !== null && stored !== undefined) requireSameAs(newest, stored)
    const own =
      this.#own === undefined ? [] : [{ head: this.#own, by: 'the checkpoint that this process has signed last' }]
    const statements = [...outside, ...own, ...inDatabase]
    const size = stored?.head.size ?? 0
    for (const { head, by } of statements) {
      if (head.size > size)
        throw contradiction(`${by} is of ${head.size} entries, and the newest checkpoint in the database of ${size}`)
      if (stored !== undefined && head.size === size && !head.rootHash.equals(stored.head.rootHash))
        throw contradiction(`${by} of ${size} entries has another root than that in the database`)
    }
    return { newest, head: stored?.head, statements }
  }

  async #askAnchors(): Promise<Statement[]> {
    const answers = await askAnchors(this.#anchors)
    const silent = answers.find(({ fault }) => fault !== undefined)
    if (silent !== undefined)
      throw new DatabaseError(
        'ANCHOR_UNREACHABLE',
        `The anchor ${silent.name} could not be asked what it keeps, so nothing was signed: ${silent.fault}`,
        { retryable: true },
      )
    return answers.flatMap(({ name, kept }) =>
      kept === undefined ? [] : [this.#open(kept.note, `the checkpoint that the anchor ${name} keeps`)],
    )
  }

  /** Without a key nothing is signed either, and nobody is believed. */
  #open(note: string, by: string): Statement {
    try {
      return { head: openCheckpoint(note, this.#keys), by }
    } catch (error) {
      if (error instanceof NoteError || error instanceof UntrustedCheckpointError)
        throw contradiction(`${by} is not to be trusted: ${error.message}`)
      throw error
    }
  }
}

/** What stands beside the note in the database says the same. */
function requireSameAs({ size, rootHash, origin }: StoredCheckpoint, { head, by }: Statement): void {
  if (size !== head.size || rootHash !== head.rootHash.toString('hex') || origin !== head.origin)
    throw contradiction(`${by} says something else than its note`)
}

export function contradiction(what: string): DatabaseError {
  return new DatabaseError('LEDGER_DAMAGED', `Nothing was signed, because ${what}: verify the ledger`)
}
