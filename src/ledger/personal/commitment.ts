import { hash, randomBytes } from 'node:crypto'

/** Keeps a commitment from being taken for any other hash of the ledger. */
const domain = 'autovolt-ledger-personal\n'
const saltBytes = 32

/** Personal data, and what hides it. */
export interface Committed {
  /** 32 bytes; in the entry, for ever. */
  readonly commitment: Buffer
  /** 32 bytes: without them nobody can find out by trying what was committed to. */
  readonly salt: Buffer
  /** JSON, exactly as it was committed to. */
  readonly text: string
}

/** Commits to personal data: SHA-256 over a domain tag, a random salt and its JSON. */
export function commitTo(data: Readonly<Record<string, unknown>>): Committed {
  const salt = randomBytes(saltBytes)
  const text = JSON.stringify(data)
  return { commitment: Buffer.from(commitmentOf(salt, text), 'hex'), salt, text }
}

/** Whether it is a salt in the one form that a file has it in: digits in upper case would be the same bytes. */
export function isSalt(salt: unknown): salt is string {
  return typeof salt === 'string' && /^[0-9a-f]{64}$/.test(salt)
}

/** 64 hexadecimal digits. */
export function commitmentOf(salt: Uint8Array, text: string): string {
  return hash('sha256', Buffer.concat([Buffer.from(domain), salt, Buffer.from(text)]), 'hex')
}
