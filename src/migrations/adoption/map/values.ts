import { createHash } from 'node:crypto'
import { Binary, BSON, Long, ObjectId } from 'mongodb'
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
  return typeof value === 'string' && hexId.test(value) ? new ObjectId(value) : undefined
}

/** The id of something that has none of its own: the same for the same parts. */
export function derivedId(...parts: readonly string[]): ObjectId {
  return new ObjectId(createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24))
}

const longestShown = 160

/** An id for messages: its digits, or its text; of a long one its beginning and a hash. An id and its text are shown alike. */
export function shownId(value: unknown): string {
  return shortened(wholeTextOf(value))
}

/** Texts that could be taken for an id of another type. */
const readsOtherwise =
  /^(?:[0-9a-f]{24}|[+-]?\d[\d.]*(?:e[+-]?\d+)?|-?Infinity|NaN|null|undefined|true|false|(?:["{[]|UUID\().*)$/is

/** An id for keys: as it is shown, but another one for each id. What reads like one of another type is `"5"` or `UUID("…")`. */
export function idKey(value: unknown): string {
  const text = wholeTextOf(value)
  if (isUuid(value)) return `UUID("${text}")`
  return shortened(typeof value === 'string' && readsOtherwise.test(text) ? JSON.stringify(text) : text)
}

/** What an id has in common with those of other types that are written alike: digits as a text, a UUID in capitals. */
export function looseId(value: unknown): string {
  const text = shownId(value)
  return hexId.test(text) || uuidText.test(text) ? text.toLowerCase() : text
}

/** {@link looseId} of an id whose key it is. */
export function looseKey(key: string): string {
  const [, quoted] = /^(?:UUID\()?"(.*)"\)?$/s.exec(key) ?? []
  return looseId(quoted ?? key)
}

export const hexId = /^[0-9a-f]{24}$/i
export const uuidText = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function isUuid(value: unknown): value is Binary {
  return value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID
}

function shortened(text: string): string {
  if (text.length <= longestShown) return text
  return `${text.slice(0, longestShown / 2)}…${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
}

function wholeTextOf(value: unknown): string {
  if (value instanceof ObjectId) return value.toHexString()
  if (isUuid(value)) return value.toUUID().toString()
  const isPlain = typeof value !== 'object' || value === null || value instanceof Long
  return isPlain ? String(value) : BSON.EJSON.stringify(value)
}

/** An object with the field, where there is a value for it. */
export function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]?: Value })
}

/** Whether it can be the id of a document of the origin. */
export function isId(value: unknown): boolean {
  const isNumber = typeof value === 'number' || value instanceof Long
  return value instanceof ObjectId || isUuid(value) || isNumber || textOf(value) !== undefined
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
