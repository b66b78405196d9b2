import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'

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

/** An id for messages and keys: its digits, or its text. */
export function shownId(value: unknown): string {
  return value instanceof ObjectId ? value.toHexString() : String(value)
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
