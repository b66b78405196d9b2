import { hashBytes } from '../entry/hash-bytes.js'
import { decodeBase64 } from './base64.js'
import { formatNote, NoteError, parseNote, type SignedNote, type SignerKey, type VerifierKey } from './signed-note.js'

/** What a checkpoint says: so many entries, in a tree with this root (C2SP tlog-checkpoint). */
export interface TreeHead {
  /** The name of the log. */
  readonly origin: string
  /** How many entries it covers. */
  readonly size: number
  readonly rootHash: Buffer
  /** Stands for the last entries of all chains in it (see `chain-heads.ts`); undefined where the checkpoint does not say. */
  readonly chainHeads?: Buffer | undefined
}

const chainHeadsName = 'chain-heads '

/** The text that is signed. */
export function formatTreeHead({ origin, size, rootHash, chainHeads }: TreeHead): string {
  const further = chainHeads === undefined ? '' : `${chainHeadsName}${chainHeads.toString('base64')}\n`
  return `${origin}\n${size}\n${rootHash.toString('base64')}\n${further}`
}

/** @throws NoteError if it is not the text of a checkpoint. */
export function parseTreeHead(text: string): TreeHead {
  const lines = text.split('\n')
  const [origin = '', size = '', root = ''] = lines
  // Lines after the third are allowed, whatever they say.
  if (lines.pop() !== '' || lines.includes('')) throw new NoteError('a checkpoint has no empty line')
  const rootHash = decodeBase64(root)
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw new NoteError('a checkpoint has an origin and a size')
  if (rootHash?.length !== hashBytes) throw new NoteError('a checkpoint has a root hash of 32 bytes in base64')
  return { origin, size: Number(size), rootHash, chainHeads: chainHeadsIn(lines[3]) }
}

function chainHeadsIn(line = ''): Buffer | undefined {
  const digest = line.startsWith(chainHeadsName) ? decodeBase64(line.slice(chainHeadsName.length)) : undefined
  return digest?.length === hashBytes ? digest : undefined
}

/** Signs with every key, so that one known key is enough to verify. */
export function signTreeHead(head: TreeHead, signers: readonly SignerKey[]): string {
  const text = formatTreeHead(head)
  return formatNote({ text, signatures: signers.map((signer) => signer.sign(text)) })
}

/** Signature check: who has signed a note, of those who are known. */
export interface SignatureCheck {
  /** Names of the keys whose signatures are right, with their ids. */
  readonly signedBy: readonly VerifierKey[]
  /** Keys that the note names, and whose signatures are wrong. */
  readonly forged: readonly VerifierKey[]
}

export function checkSignatures({ text, signatures }: SignedNote, keys: readonly VerifierKey[]): SignatureCheck {
  const signedBy: VerifierKey[] = []
  const forged: VerifierKey[] = []
  for (const signature of signatures) {
    for (const key of keys) {
      if (key.isNamedIn(signature)) (key.verifies(text, signature) ? signedBy : forged).push(key)
    }
  }
  return { signedBy, forged }
}

/** Why a checkpoint is not to be trusted. */
export class UntrustedCheckpointError extends Error {
  override readonly name = 'UntrustedCheckpointError'
}

/**
 * Opens a checkpoint that one of the keys has signed, for the log that the keys are of.
 * @throws UntrustedCheckpointError, NoteError.
 */
export function openCheckpoint(note: string, keys: readonly VerifierKey[]): TreeHead {
  const parsed = parseNote(note)
  const head = parseTreeHead(parsed.text)
  const ofLog = keys.filter(({ name }) => name === head.origin)
  if (ofLog.length === 0) throw new UntrustedCheckpointError('the checkpoint is of a log that none of the keys is for')
  const { signedBy, forged } = checkSignatures(parsed, ofLog)
  if (forged.length > 0) throw new UntrustedCheckpointError('a signature of the checkpoint is wrong')
  if (signedBy.length === 0) throw new UntrustedCheckpointError('none of the keys has signed the checkpoint')
  return head
}
