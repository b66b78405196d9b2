import { hashEntry } from '../entry/stored-bytes.js'
import { decodeBase64 } from './base64.js'
import { openCheckpoint, UntrustedCheckpointError } from './checkpoint-text.js'
import { provesConsistency, provesInclusion } from './merkle-proof.js'
import { NoteError, VerifierKey } from './signed-note.js'

/** Shows that an entry is in the ledger that a checkpoint was signed for. */
export interface InclusionProof {
  readonly kind: 'inclusion'
  /** The entry as MongoDB stores it (BSON), in base64. */
  readonly entry: string
  /** The place of the entry in the tree. */
  readonly leafIndex: number
  /** From the leaf upwards, in base64. */
  readonly hashes: readonly string[]
  /** The signed checkpoint. */
  readonly checkpoint: string
}

/** Shows that the ledger of one checkpoint begins with that of an earlier one: nothing was changed or taken away. */
export interface ConsistencyProof {
  readonly kind: 'consistency'
  readonly from: string
  readonly to: string
  readonly hashes: readonly string[]
}

/** Whether a proof holds, and if not, why. */
export type ProofVerdict = { readonly valid: true } | { readonly valid: false; readonly reason: string }

const valid: ProofVerdict = { valid: true }
const refuted = (reason: string): ProofVerdict => ({ valid: false, reason })

/**
 * Whether the proof shows that its entry is in the ledger. Pure: no database, no network.
 * @param verifierKeys Who may have signed the checkpoint, `name+id+base64`; from a source that you trust, never from the proof.
 */
export function verifyInclusion(proof: InclusionProof, verifierKeys: readonly string[]): ProofVerdict {
  return judged(() => {
    if (!hasTexts(proof, 'inclusion', ['entry', 'checkpoint'])) return refuted('it is no inclusion proof')
    const head = openCheckpoint(proof.checkpoint, verifierKeys.map(VerifierKey.parse))
    const bytes = decodeBase64(proof.entry)
    const leafHash = bytes && hashEntry(bytes)
    const hashes = proof.hashes.map(decodeBase64)
    if (leafHash === undefined) return refuted('the entry is none, or does not have the hash that it carries')
    if (!areAll(hashes)) return refuted('a hash is not in base64')
    const isProven = provesInclusion(proof.leafIndex, head.size, leafHash, hashes, head.rootHash)
    return isProven ? valid : refuted('the hashes do not lead to the root of the checkpoint')
  })
}

/**
 * Whether the proof shows that the later ledger begins with the earlier one. Pure: no database, no network.
 * @param verifierKeys Who may have signed the checkpoints, `name+id+base64`.
 */
export function verifyConsistency(proof: ConsistencyProof, verifierKeys: readonly string[]): ProofVerdict {
  return judged(() => {
    if (!hasTexts(proof, 'consistency', ['from', 'to'])) return refuted('it is no consistency proof')
    const keys = verifierKeys.map(VerifierKey.parse)
    const [from, to] = [openCheckpoint(proof.from, keys), openCheckpoint(proof.to, keys)]
    const hashes = proof.hashes.map(decodeBase64)
    if (!areAll(hashes)) return refuted('a hash is not in base64')
    if (from.origin !== to.origin) return refuted('the checkpoints are of two logs')
    const isProven = provesConsistency(from.size, to.size, from.rootHash, to.rootHash, hashes)
    return isProven ? valid : refuted('the later ledger does not begin with the earlier one')
  })
}

/** Whether what somebody has sent is a proof of the kind as far as its form goes. */
function hasTexts(proof: unknown, kind: string, names: readonly string[]): boolean {
  if (typeof proof !== 'object' || proof === null) return false
  const fields = proof as Record<string, unknown>
  return fields.kind === kind && Array.isArray(fields.hashes) && names.every((name) => typeof fields[name] === 'string')
}

function areAll(hashes: readonly (Buffer | undefined)[]): hashes is Buffer[] {
  return !hashes.includes(undefined)
}

function judged(judge: () => ProofVerdict): ProofVerdict {
  try {
    return judge()
  } catch (error) {
    if (error instanceof NoteError || error instanceof UntrustedCheckpointError) return refuted(error.message)
    throw error
  }
}
