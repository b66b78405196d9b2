import { hashEntry } from '../entry/strict-entry.js'
import { decodeBase64 } from './base64.js'
import { openCheckpoint, UntrustedCheckpointError } from './checkpoint-text.js'
import { parseHeldKeys } from './held-keys.js'
import { provesConsistency, provesInclusion } from './merkle-proof.js'
import { type ConsistencyProof, consistencyOf, type InclusionProof, inclusionOf } from './proof-form.js'
import { NoteError, type VerifierKey } from './signed-note.js'

/** Whether a proof holds, and if not, why. */
export type ProofVerdict = { readonly valid: true } | { readonly valid: false; readonly reason: string }

const valid: ProofVerdict = { valid: true }
const refuted = (reason: string): ProofVerdict => ({ valid: false, reason })

/**
 * Whether the proof shows that its entry is in the ledger. Pure: no database, no network.
 * @param given The proof, or its JSON as a text, which is read more strictly: each member once, in its order.
 * @param verifierKeys Who may have signed the checkpoint, `name+id+base64`, of one log; from a source that you trust, never from the proof.
 * @throws NoteError if these are none: that says nothing of the proof.
 */
export function verifyInclusion(given: InclusionProof | string, verifierKeys: readonly string[]): ProofVerdict {
  return judged(verifierKeys, (keys) => {
    const proof = inclusionOf(given)
    if (proof === undefined) return refuted('it is no inclusion proof')
    const head = openCheckpoint(proof.checkpoint, keys)
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
 * @param given The proof, or its JSON as a text, which is read more strictly: each member once, in its order.
 * @param verifierKeys Who may have signed the checkpoints, `name+id+base64`, of one log.
 * @throws NoteError if these are none: that says nothing of the proof.
 */
export function verifyConsistency(given: ConsistencyProof | string, verifierKeys: readonly string[]): ProofVerdict {
  return judged(verifierKeys, (keys) => {
    const proof = consistencyOf(given)
    if (proof === undefined) return refuted('it is no consistency proof')
    const [from, to] = [openCheckpoint(proof.from, keys), openCheckpoint(proof.to, keys)]
    const hashes = proof.hashes.map(decodeBase64)
    if (!areAll(hashes)) return refuted('a hash is not in base64')
    const isProven = provesConsistency(from.size, to.size, from.rootHash, to.rootHash, hashes)
    return isProven ? valid : refuted('the later ledger does not begin with the earlier one')
  })
}

function areAll(hashes: readonly (Buffer | undefined)[]): hashes is Buffer[] {
  return !hashes.includes(undefined)
}

function judged(verifierKeys: unknown, judge: (keys: readonly VerifierKey[]) => ProofVerdict): ProofVerdict {
  const keys = parseHeldKeys(verifierKeys)
  try {
    return judge(keys)
  } catch (error) {
    if (error instanceof NoteError || error instanceof UntrustedCheckpointError) return refuted(error.message)
    throw error
  }
}
