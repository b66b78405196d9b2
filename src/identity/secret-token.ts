import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { z } from 'zod'

const tokenBytes = 32
const tokenForm = /^[A-Za-z0-9_-]{43}$/

/** 256 random bits in base64url. */
export function newToken(): string {
  return randomBytes(tokenBytes).toString('base64url')
}

/** Whether the value has the form of a token. Anything else never gets into a query. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && tokenForm.test(value)
}

/**
 * What is kept of a token. Its 256 random bits cannot be guessed, so that one round of SHA-256 is enough, and a search for the
 * hash leaks nothing about the token by the time that it takes.
 */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The field that keeps the hash of a token: in hexadecimal digits, whose form the server can check. */
export const tokenHashField = () => z.string().regex(/^[0-9a-f]{64}$/)

/** Another token that only who has this one can compute, and only with the salt (HKDF, RFC 5869). */
export function derivedToken(token: string, salt: string, use: string): string {
  return Buffer.from(hkdfSync('sha256', token, salt, use, tokenBytes)).toString('base64url')
}
