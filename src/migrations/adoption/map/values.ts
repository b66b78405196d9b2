import { createHash } from 'node:crypto'
import { Binary, BSON, ObjectId } from 'mongodb'
import { numberLimits } from '../../../ledger/entry/entry-limits.js'

/** The text without spaces around it; undefined for anything else, and for an empty one. */
export function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}

export function dateOf(value: unknown): Date | undefined {
  return value instanceof Date && Number.isFinite(value.getTime()) ? value : undefined
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** W; what the ledger can take of a switch. */
export function wattsOf(value: unknown): number | undefined {
  const [least, most] = numberLimits.powerRating
  return typeof value === 'number' && value >= least && value <= most ? value : undefined
}

/** A whole number, also where it is kept as a text. */
export function wholeNumberOf(value: unknown): number | undefined {
  if (typeof value === 'string' && /^-?\d{1,9}$/.test(value)) return Number(value)
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined
}

/** An id that is an ObjectId, or its 24 digits as a text. */
export function idOf(value: unknown): ObjectId | undefined {
  if (value instanceof ObjectId) return value
  return typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value) ? new ObjectId(value) : undefined
}

/** The id of something that has none of its own: the same for the same parts. */
export function derivedId(...parts: readonly string[]): ObjectId {
  return new ObjectId(createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24))
}

const longestShown = 160

/** An id for messages and keys: its digits, or its text; of a long one its beginning and a hash. */
export function shownId(value: unknown): string {
  const text = wholeTextOf(value)
  if (text.length <= longestShown) return text
  return `${text.slice(0, longestShown / 2)}…${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
}

function wholeTextOf(value: unknown): string {
  if (value instanceof ObjectId) return value.toHexString()
  const isUuid = value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID
  return typeof value === 'object' && value !== null && !isUuid ? BSON.EJSON.stringify(value) : String(value)
}

/** An object with the field, where there is a value for it. */
export function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]?: Value })
}

export function isId(value: unknown): value is ObjectId {
  return value instanceof ObjectId
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
