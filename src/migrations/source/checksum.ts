import { createHash } from 'node:crypto'
import { BSON } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'
import { canonicalFunction } from './canonical-function.js'

/**
 * The SHA-256 of what something declares, in hexadecimal: its data by value, its functions by their canonical source.
 * @throws DatabaseError `CONFIGURATION` for what cannot be read or written.
 */
export function checksumOf(declared: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(declared)))
    .digest('hex')
}

type AnyFunction = (...given: never[]) => unknown

function canonical(value: unknown): unknown {
  if (typeof value === 'function') return ['function', canonicalFunction(value as AnyFunction)]
  if (Array.isArray(value)) return ['array', value.map(canonical)]
  if (!isPlain(value)) return ['value', extendedJson(value)]
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return ['object', members.map(([name, member]) => [name, canonical(member)])]
}

/** What is walked through; dates, patterns and the driver's own types are values. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value) || value instanceof Date || value instanceof RegExp || ArrayBuffer.isView(value)) return false
  return value._bsontype === undefined
}

function extendedJson(value: unknown): string {
  if (typeof value === 'symbol')
    throw new DatabaseError('CONFIGURATION', 'A migration cannot declare a symbol: use a text in its place')
  return BSON.EJSON.stringify({ value }, { relaxed: false })
}
