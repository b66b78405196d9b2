/** What a verifier of docs/ledger-format.md has to say of a file or proof. */
export type Verdict = 'sound' | 'damaged' | 'cannot tell'

/** One test vector, as it is in docs/ledger-vectors. */
export interface Vector {
  /** What is the matter with it. */
  readonly name: string
  /** Exported files, in the order of the ledger, or the text of a proof; in base64 where it is not valid UTF-8. */
  readonly files?: readonly Content[]
  readonly proof?: Content
  /** The verifier keys that are known. */
  readonly keys: readonly string[]
  /** A checkpoint that is known from elsewhere. */
  readonly known?: string
  readonly verdict: Verdict
}

export type Content = { readonly text: string } | { readonly base64: string }

export function contentOf(bytes: string | Buffer): Content {
  if (typeof bytes === 'string') return { text: bytes }
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) && !text.startsWith('\ufeff') ? { text } : { base64: bytes.toString('base64') }
}

export function bytesOf(content: Content): Buffer {
  return 'text' in content ? Buffer.from(content.text) : Buffer.from(content.base64, 'base64')
}
