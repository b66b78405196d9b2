import { formatNote, hexId, NoteError, parseNote, type SignerKey, type VerifierKey } from '../log/signed-note.js'

/** What the first line of an export names. */
export const exportFormat = 'autovolt-ledger-export/1'

/** The first line: which leaves of which log's tree the file has. */
export interface ExportHeader {
  readonly format: string
  readonly origin: string
  /** The leaves before the file's first one; 0 unless it is an archive of a later part. */
  readonly fromSize: number
  /** The roots of the perfect subtrees of those leaves, in base64. */
  readonly frontier: readonly string[]
  /** The size of the checkpoint that it ends at. */
  readonly size: number
}

/** One line: an entry with its leaf next in the tree, its personal data, a checkpoint of the leaves so far, or the end. */
export type ExportLine =
  | { readonly header: ExportHeader }
  | { readonly entry: string }
  | { readonly personal: { readonly commitment: string; readonly salt: string; readonly text: string } }
  | { readonly checkpoint: string }
  | { readonly digest: string }

/** Whether a line says that the file is of this format: the first one somewhere, or the digest that closes it. */
export function namesFormat(line: Buffer, number: number): boolean {
  return (
    (number === 1 && line.includes(formatInQuotes)) || line.toString('latin1', 0, digestStart.length) === digestStart
  )
}

const formatInQuotes = JSON.stringify(exportFormat)
const digestStart = `{"digest":"${exportFormat}\\n`

export function formatLine(line: ExportLine): string {
  return `${JSON.stringify(line)}\n`
}

/** What the signed digest is of. */
export interface ExportDigest {
  readonly origin: string
  readonly fromSize: number
  readonly size: number
  /** SHA-256 over every byte before the line of the digest. */
  readonly sha256: Buffer
}

/** Several signers are named in it: none of their signatures can be taken away or added without being noticed. */
function textOf({ origin, fromSize, size, sha256 }: ExportDigest, keyIds: readonly number[]): string {
  const signers = keyIds.length > 1 ? `${keyIds.map(hexId).join(' ')}\n` : ''
  return `${exportFormat}\n${origin}\n${fromSize} ${size}\n${sha256.toString('base64')}\n${signers}`
}

/** The last line, signed by each of the keys, so that trust in one of them is enough to verify the file. */
export function digestLine(digest: ExportDigest, signers: readonly SignerKey[]): string {
  const keyIds = signers.map(({ verifier }) => verifier.keyId)
  const text = textOf(digest, keyIds)
  return formatLine({ digest: formatNote({ text, signatures: signers.map((signer) => signer.sign(text)) }) })
}

/** Why a digest does not close the file, or if it does, how many of its signatures are of keys that are not known. */
export function checkDigest(
  note: string,
  digest: ExportDigest,
  keys: readonly VerifierKey[],
): DigestFault | { readonly damage: undefined; readonly unchecked: number } {
  try {
    const parsed = parseNote(note)
    const { text, signatures } = parsed
    if (formatNote(parsed) !== note)
      return { damage: 'edited', found: 'a digest with signatures that are written in another way' }
    const known = signatures.flatMap((signature) => {
      const key = keys.find((candidate) => candidate.isNamedIn(signature))
      return key === undefined ? [] : [{ key, signature }]
    })
    if (known.length === 0) return { damage: 'bad_signature', found: 'a digest that no trusted key has signed' }
    if (!known.every(({ key, signature }) => key.verifies(text, signature)))
      return { damage: 'bad_signature', found: 'a signature that is not of its key' }
    if (signatures.some(({ keyName }) => keyName !== known[0]?.key.name))
      return { damage: 'bad_signature', found: 'a signature of another log' }
    const keyIds = signatures.map(({ keyId }) => keyId)
    if (new Set(keyIds).size !== keyIds.length)
      return { damage: 'edited', found: 'a digest that a key has signed twice' }
    if (text !== textOf(digest, keyIds))
      return {
        damage: 'edited',
        found: `a digest of other bytes or signers: ${text.split('\n').slice(1).join(' ').trim()}`,
      }
    return { damage: undefined, unchecked: signatures.length - known.length }
  } catch (error) {
    if (error instanceof NoteError) return { damage: 'edited', found: error.message }
    throw error
  }
}

export interface DigestFault {
  readonly damage: 'edited' | 'bad_signature'
  readonly found: string
}
