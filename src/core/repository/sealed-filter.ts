import type { EntityDescription } from '../entity.js'
import { isConverted } from '../field-schema.js'
import { asZod } from '../schema-like.js'
import { issuesOf } from '../validate.js'
import { Condition } from './conditions.js'
import { refused } from './data.js'

/** The hashes that documents may have whose sealed field is the text. */
export type HashesOf = (field: string, plain: string) => readonly string[]

interface SealedField {
  readonly entity: EntityDescription
  readonly field: string
  /** Such as `The filter on patient`. */
  readonly subject: string
}

/**
 * The filter on a sealed field as one on its hashes.
 * @throws ValidationError for a field without a blind index, and for all but texts to be equal to.
 */
export function sealedFilter(sealed: SealedField, value: unknown, hashesOf: HashesOf | undefined): object {
  const { entity, field, subject } = sealed
  const index = Object.hasOwn(entity.blindIndexes, field) ? entity.blindIndexes[field] : undefined
  if (index === undefined)
    throw refused(subject, field, 'is sealed and has no blind index: it cannot be asked for', value)
  if (hashesOf === undefined) throw refused(subject, field, 'is sealed: it cannot be asked for here', value)
  const texts = value instanceof Condition ? listed(sealed, value) : [value]
  const hashes = texts.flatMap((text) => hashesOf(field, plainOf(sealed, text)))
  return { [index.stored]: hashes.length === 1 ? { $eq: hashes[0] } : { $in: hashes } }
}

/** Of a sealed text it is known what it is equal to, and nothing else. */
function listed({ subject, field }: SealedField, { expression }: Condition<unknown>): readonly unknown[] {
  const { $in: list, ...others } = expression
  if (Array.isArray(list) && Object.keys(others).length === 0) return list
  throw refused(subject, field, 'is sealed: it is found by equality and where.in() alone', expression)
}

/** The text as it is sealed. */
function plainOf({ entity, field, subject }: SealedField, text: unknown): string {
  if (typeof text !== 'string') throw refused(subject, field, 'is sealed: expected the text that it is equal to', text)
  const secret = entity.secrets[field]
  if (secret === undefined || !isConverted(asZod(secret))) return text
  const result = asZod(secret).safeParse(text)
  if (result.success) return String(result.data)
  const [issue] = issuesOf(result.error, text)
  throw refused(subject, field, issue?.message ?? 'expected a value of the field', text)
}
