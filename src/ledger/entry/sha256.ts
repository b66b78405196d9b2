import { Binary } from 'mongodb'
import type { z } from 'zod'
import { binary } from '../../core/fields.js'
import { wordsOf } from '../stored-words.js'

const bytes = 32
const genericSubtype = 0

/** A SHA-256 hash as its 32 bytes. Declarations would name the driver's class by a package that is not ours. */
export interface Sha256 extends Binary {}

/** A SHA-256 hash, stored as its 32 bytes. */
export const sha256 = (): z.ZodType<Sha256, Sha256> => binary().refine(isSha256, { error: 'expected 32 bytes' })

/** Whether what is stored is such a hash; who may write to the database can put anything in its place. */
export function isSha256(value: unknown): value is Binary {
  return value instanceof Binary && value.length() === bytes && value.sub_type === genericSubtype
}

/** The hash in hexadecimal; in words what else is stored in its place. */
export function hexOf(value: unknown): string {
  return value instanceof Binary ? value.toString('hex') : wordsOf(value)
}
