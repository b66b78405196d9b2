import { hash } from 'node:crypto'
import { hashBytes } from '../entry/hash-bytes.js'
import { hexOf } from '../entry/sha256.js'
import { decodeBase64 } from '../log/base64.js'
import { checkSignatures } from '../log/checkpoint-text.js'
import { formatNote, NoteError, parseNote, type SignerKey, type VerifierKey } from '../log/signed-note.js'
import type { Archive, Seam } from './archive-entities.js'

const format = 'autovolt-ledger-archive/1'

/** What is signed of an archive: which leaves it has, the file that they are in, and where every chain goes on after it. */
export type ArchiveStatement = Pick<Archive, 'fromSize' | 'size' | 'file' | 'sha256' | 'archivedAt'>

/** Stands for all seams as they are after an archive: SHA-256 over a line for each, in the order of their switches. */
export function seamsDigest(seams: readonly Omit<Seam, '_id'>[]): Buffer {
  const lines = seams.map(
    ({ switchId, sequence, hash: last, deviceId, classroom, until }) =>
      `${switchId.toHexString()} ${sequence} ${hexOf(last)} ${deviceId.toHexString()} ${classroom.toHexString()} ${until.getTime()}\n`,
  )
  return hash('sha256', lines.sort().join(''), 'buffer')
}

/** Signs with every key, so that one known key is enough to verify. */
export function signArchive(archive: ArchiveStatement, seams: Buffer, signers: readonly SignerKey[]): string {
  const origin = signers[0]?.verifier.name ?? ''
  const text = textOf(archive, origin, seams)
  return formatNote({ text, signatures: signers.map((signer) => signer.sign(text)) })
}

/**
 * Opens the note of an archive.
 * @returns what stands for the seams after it.
 * @throws NoteError if none of the keys has signed it, or it says something else than its record.
 */
export function openArchiveNote({ note, ...archive }: Archive, keys: readonly VerifierKey[]): Buffer {
  const parsed = parseNote(note)
  const lines = parsed.text.split('\n')
  const seams = decodeBase64(lines[6])
  if (seams?.length !== hashBytes) throw new NoteError('the note of an archive ends with what stands for its seams')
  const origin = lines[1] ?? ''
  if (textOf(archive, origin, seams) !== parsed.text)
    throw new NoteError('the record of an archive says something else than its note')
  const { signedBy, forged } = checkSignatures(
    parsed,
    keys.filter(({ name }) => name === origin),
  )
  if (forged.length > 0) throw new NoteError('a signature of the note is not of its key')
  if (signedBy.length === 0) throw new NoteError('no trusted key has signed the note')
  return seams
}

function textOf({ fromSize, size, sha256, file, archivedAt }: ArchiveStatement, origin: string, seams: Buffer): string {
  const lines = [format, origin, `${fromSize} ${size}`, sha256, archivedAt.toISOString(), inAscii(file)]
  return `${[...lines, seams.toString('base64')].join('\n')}\n`
}

/** As JSON without any character that a signed note cannot have. */
function inAscii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
