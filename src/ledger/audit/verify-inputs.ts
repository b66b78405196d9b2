import { DatabaseError } from '../../core/errors.js'
import { openCheckpoint, type TreeHead, UntrustedCheckpointError } from '../log/checkpoint-text.js'
import { NoteError, type VerifierKey } from '../log/signed-note.js'
import { ParsedWitnessPolicy } from '../log/witness-policy.js'
import type { VerifyOptions } from './verify-options.js'

/** @throws DatabaseError `CONFIGURATION` for a policy that is none. */
export function witnessPolicyOf({ witnessPolicy }: VerifyOptions): ParsedWitnessPolicy | undefined {
  try {
    return witnessPolicy && new ParsedWitnessPolicy(witnessPolicy)
  } catch (error) {
    throw error instanceof NoteError ? misuse(`\`witnessPolicy\`: ${error.message}`) : error
  }
}

/**
 * The tree head of the checkpoint that the caller knows. What nobody who is trusted has signed says nothing about the ledger.
 * @throws DatabaseError `CONFIGURATION` for a checkpoint that no key has signed, and for options that do not go together.
 */
export function knownHeadOf(options: VerifyOptions, keys: readonly VerifierKey[]): TreeHead | undefined {
  const { knownCheckpoint, onlySince, switchIds, deviceId, classroom } = options
  if (onlySince && knownCheckpoint === undefined) throw misuse('`onlySince` needs the `knownCheckpoint` it is about')
  if (onlySince && (switchIds ?? deviceId ?? classroom) !== undefined)
    throw misuse('`onlySince` is about the whole ledger, not some chains')
  if (knownCheckpoint === undefined) return undefined
  try {
    return openCheckpoint(knownCheckpoint, keys)
  } catch (error) {
    if (error instanceof NoteError || error instanceof UntrustedCheckpointError)
      throw misuse(`The \`knownCheckpoint\` cannot be compared with: ${error.message}`)
    throw error
  }
}

function misuse(message: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', message)
}
