import { hash, randomBytes } from 'node:crypto'

/** Keeps a commitment from being taken for any other hash of the ledger. */
const domain = 'autovolt-ledger-personal\n'
const saltBytes = 32

/** Personal data, and what hides it. */
export interface Committed {
  /** 64 hexadecimal digits; in the entry, for ever. */
  readonly commitment: string
  /** 32 bytes in hexadecimal: without them nobody can find out by trying what was committed to. */
  readonly salt: string
  /** JSON, exactly as it was committed to. */
  readonly text: string
}

/** Commits to personal data: SHA-256 over a domain tag, a random salt and its JSON. */
export function commitTo(data: Readonly<Record<string, unknown>>): Committed {
  const salt = randomBytes(saltBytes).toString('hex')
  const text = JSON.stringify(data)
  return { commitment: commitmentOf(salt, text), salt, text }
}

/** Whether it is a salt in its one form: digits in upper case would be the same bytes. */
export function isSalt(salt: unknown): salt is string {
  return typeof salt === 'string' && /^[0-9a-f]{64}$/.test(salt)
}

export function commitmentOf(salt: string, text: string): string {
  return hash('sha256', Buffer.concat([Buffer.from(domain), Buffer.from(salt, 'hex'), Buffer.from(text)]), 'hex')
}
