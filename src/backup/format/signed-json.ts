import { hash } from 'node:crypto'
import { z } from 'zod'
import { formatNote, NoteError, parseNote, type SignerKey, type VerifierKey } from '../../ledger/log/signed-note.js'
import { FormatError } from './format-error.js'

/** What says what was stored, as a file: JSON in one way of writing only, with the SHA-256 of itself at its end. */
export interface SignedJson<Content> {
  readonly content: Content
  /** A signed note over the content, by the ledger's key; null where there was none. */
  readonly signature: string | null
}

export function signedJsonSchema<Content>(content: z.ZodType<Content>) {
  return z.strictObject({ content, signature: z.string().nullable() })
}

export function formatSignedJson<Content>({ content, signature }: SignedJson<Content>): string {
  const checked = JSON.stringify({ content, signature })
  return `${checked.slice(0, -1)},"sha256":${JSON.stringify(hash('sha256', checked))}}\n`
}

/** @throws FormatError if a byte is other than it was written, or it says what cannot be. */
export function parseSignedJson<Content>(text: string, schema: z.ZodType<SignedJson<Content>>): SignedJson<Content> {
  const parsed = parseJson(text)
  if (parsed === undefined) throw new FormatError('it is no JSON object')
  const { content, signature } = parsed
  const written = { content, signature: signature ?? null } as SignedJson<Content>
  if (formatSignedJson(written) !== text) throw new FormatError('it is not as it was written: its SHA-256 is another')
  const result = schema.safeParse(written)
  // As it was parsed from JSON: zod may order the fields in its own way, and the signature is over the bytes.
  if (result.success) return written
  const [issue] = result.error.issues
  throw new FormatError(`it says what cannot be: ${issue?.path.join('.')}: ${issue?.message}`)
}

function parseJson(text: string): { readonly content?: unknown; readonly signature?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

/** What is signed with every key. @param kind What the content is of, such as `backup`. */
export function signJson<Content extends Identified>(
  kind: string,
  content: Content,
  signers: readonly SignerKey[],
): SignedJson<Content> {
  if (signers.length === 0) return { content, signature: null }
  const text = signedText(kind, content)
  return { content, signature: formatNote({ text, signatures: signers.map((signer) => signer.sign(text)) }) }
}

interface Identified {
  readonly id: string
}

function signedText(kind: string, content: Identified): string {
  return `autovolt ${kind}\n${content.id}\n${hash('sha256', JSON.stringify(content))}\n`
}

/** @returns what is wrong with the signature; undefined if one of the keys has signed. */
export function signatureProblem(
  kind: string,
  { content, signature }: SignedJson<Identified>,
  keys: readonly VerifierKey[],
): string | undefined {
  if (signature === null) return 'it is not signed'
  try {
    const note = parseNote(signature)
    if (note.text !== signedText(kind, content)) return 'its signature is over another content'
    const isSigned = keys.some((key) =>
      note.signatures.some((one) => key.isNamedIn(one) && key.verifies(note.text, one)),
    )
    return isSigned ? undefined : 'it is not signed by one of the keys'
  } catch (error) {
    if (error instanceof NoteError) return error.message
    throw error
  }
}
