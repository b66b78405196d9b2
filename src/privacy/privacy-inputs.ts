import { z } from 'zod'
import { instant } from '../core/fields.js'
import { isRecord } from '../core/is-record.js'
import { abortSignal } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'

/** Erased person: a person who was erased, for a list that is kept outside the database. */
export interface ErasedPerson {
  /** SHA-256 of the id, in hexadecimal: whoever knows the id can tell that the person was erased, and nobody can tell the id. */
  readonly subject: string
  readonly requestedAt: Date
  /** When the key was destroyed with which fields of the person were sealed. */
  readonly keyDestroyedAt?: Date | undefined
}

const reason = () => z.string().trim().min(1).max(500)
export const eraseSchema = z.strictObject({ reason: reason(), signal: abortSignal().optional() })
export const runSchema = z.strictObject({ signal: abortSignal().optional() })
export const holdSchema = z.strictObject({ reason: reason(), until: instant().optional() })
const erasedSchema = z.looseObject({
  subject: z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected 64 hexadecimal digits' }),
  requestedAt: instant(),
  keyDestroyedAt: instant().optional(),
})
/** Any list, also one that is read as it is consumed. */
export const listSchema = z.custom<Iterable<unknown> | AsyncIterable<unknown>>(
  (value) =>
    isRecord(value) &&
    [Symbol.iterator, Symbol.asyncIterator].some((name) => typeof Reflect.get(value, name) === 'function'),
  { error: 'expected a list' },
)
/** @throws ValidationError. */
export function parseErasedPerson(given: unknown): ErasedPerson {
  return validateData(erasedSchema, given, 'The erased person')
}
