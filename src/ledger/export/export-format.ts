import { formatNote, NoteError, parseNote, type SignerKey, type VerifierKey } from '../log/signed-note.js'

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

function textOf({ origin, fromSize, size, sha256 }: ExportDigest): string {
  return `${exportFormat}\n${origin}\n${fromSize} ${size}\n${sha256.toString('base64')}\n`
}

/** The last line. Only one key signs it: one that nobody has could be altered without being noticed. */
export function digestLine(digest: ExportDigest, signer: SignerKey): string {
  const text = textOf(digest)
  return formatLine({ digest: formatNote({ text, signatures: [signer.sign(text)] }) })
}

/** Why a digest does not close the file; undefined if it does. */
export function digestFault(line: string, digest: ExportDigest, keys: readonly VerifierKey[]): DigestFault | undefined {
  try {
    const { digest: note } = JSON.parse(line) as { digest: unknown }
    if (typeof note !== 'string') return { damage: 'edited', found: 'no digest' }
    // Whatever reads the same without being the same bytes is none of ours.
    if (formatLine({ digest: note }) !== line)
      return { damage: 'edited', found: 'a digest that is written in another way' }
    const parsed = parseNote(note)
    const [signature, ...more] = parsed.signatures
    if (formatNote(parsed) !== note || more.length > 0 || signature === undefined)
      return { damage: 'edited', found: 'a digest with other than one signature' }
    const key = keys.find((known) => known.isNamedIn(signature))
    if (key === undefined) return { damage: 'bad_signature', found: 'a digest that no trusted key has signed' }
    if (!key.verifies(parsed.text, signature))
      return { damage: 'bad_signature', found: 'a signature that is not of its key' }
    if (parsed.text !== textOf(digest))
      return {
        damage: 'edited',
        found: `a digest of other bytes: ${parsed.text.split('\n').slice(1).join(' ').trim()}`,
      }
    return undefined
  } catch (error) {
    if (error instanceof NoteError || error instanceof SyntaxError) return { damage: 'edited', found: error.message }
    throw error
  }
}

export interface DigestFault {
  readonly damage: 'edited' | 'bad_signature'
  readonly found: string
}
