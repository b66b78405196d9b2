import { DatabaseError } from '../../core/errors.js'
import type { Anchor } from './anchor.js'
import { longestAnchorName } from './log-entities.js'
import { NoteError, SignerKey, VerifierKey } from './signed-note.js'

export interface LedgerLogOptions {
  /**
   * The keys that sign checkpoints, `PRIVATE+KEY+...` as `generateLogKeys` makes them; the first one names the log. With two
   * of them, an old one and a new one, the log passes from one to the other. Without any, this process makes no checkpoints.
   */
  readonly signerKeys?: readonly string[]
  /** Keys that checkpoints may be signed by besides, `name+id+base64`: earlier ones of this log. */
  readonly verifierKeys?: readonly string[]
  /** Where checkpoints are kept outside the database. */
  readonly anchors?: readonly Anchor[]
}

/** @throws DatabaseError `CONFIGURATION` for what is no key, or is the key of another log, and for anchors of one name. */
export function ledgerLogOf({ signerKeys = [], verifierKeys = [], anchors = [] }: LedgerLogOptions = {}) {
  try {
    const signers = signerKeys.map((key) => SignerKey.parse(key))
    const keys = [...signers.map(({ verifier }) => verifier), ...verifierKeys.map((key) => VerifierKey.parse(key))]
    const names = new Set(keys.map(({ name }) => name))
    if (names.size > 1)
      throw new DatabaseError(
        'CONFIGURATION',
        `The keys of a ledger are of one log, not of ${[...names].join(' and ')}`,
      )
    requireTellable(anchors)
    return { signers, keys, anchors }
  } catch (error) {
    if (error instanceof NoteError) throw new DatabaseError('CONFIGURATION', `\`ledgerLog\`: ${error.message}`)
    throw error
  }
}

/** How far an anchor has come is remembered by its name. */
function requireTellable(anchors: readonly Anchor[]): void {
  const names = anchors.map(({ name }) => name)
  const wrong = names.find((name) => name === '' || name.length > longestAnchorName)
  if (wrong !== undefined)
    throw new DatabaseError('CONFIGURATION', `The name of an anchor has 1 to ${longestAnchorName} characters`)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new DatabaseError('CONFIGURATION', `Two anchors have the name ${twice}`)
}
