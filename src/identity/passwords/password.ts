import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { bcryptHash } from './bcrypt-hash.js'

export const fewestCharacters = 8
/** bcrypt takes no more, and drops the rest in silence. */
const mostBytes = 72

/** A password that can be hashed: 8 characters (code points) to 72 bytes of UTF-8, taken exactly as it is given. */
export const password = () =>
  z
    .string()
    // Before anything is done with it.
    .max(mostBytes, { error: `expected at most ${mostBytes} bytes`, abort: true })
    .refine((text) => Buffer.byteLength(text) <= mostBytes, { error: `expected at most ${mostBytes} bytes` })
    .refine((text) => lengthOf(text) >= fewestCharacters, { error: `expected at least ${fewestCharacters} characters` })
    .refine(isWellFormed, { error: 'expected Unicode text without NUL' })
    // Otherwise nobody could tell a password from its hash. Hashes of other systems have a way in of their own.
    .refine((text) => !bcryptHash.test(text), { error: 'is the hash of a password' })

const newPassword = z.strictObject({ password: password() })

/** A new password, before it is hashed. @throws ValidationError. */
export function newPasswordOf(plain: string): string {
  return validateData(newPassword, { password: plain }, 'The new password').password
}

/** Whether a hash can be that of the text; nothing is cut off. */
export function isHashable(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= mostBytes && isWhole(text)
}

export function lengthOf(text: string): number {
  return [...text].length
}

function isWhole(text: string): boolean {
  return Buffer.byteLength(text) <= mostBytes && isWellFormed(text)
}

/** What hashing libraries disagree on: a NUL ends the text for some, half a surrogate pair becomes another character. */
function isWellFormed(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text)
}
