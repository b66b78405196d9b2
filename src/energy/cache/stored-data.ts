import { Decimal128, ObjectId } from 'mongodb'
import { ValidationError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import { isPlainObject } from '../../core/is-record.js'
import { refused } from '../../core/repository/data.js'

const maximumDepth = 64
/** What MongoDB, or an object itself, understands as something else than a name. */
const unusableNames = new Set(['_bsontype', '__proto__'])

/** The BSON types of what {@link copyOfData} lets through. */
export const storedTypes = [
  'object',
  'array',
  'string',
  'double',
  'int',
  'long',
  'decimal',
  'bool',
  'date',
  'objectId',
  'null',
] as const

/**
 * A copy that shares nothing with the original, of data that MongoDB gives back as it was: null, booleans, numbers, texts,
 * Dates, ObjectIds, Decimal128s, and lists and plain objects of them. Fields that are undefined are left out.
 * @throws ValidationError with the path of anything else.
 */
export function copyOfData<Data>(subject: string, data: Data): Data {
  return copyOf(data, { subject, path: '', depth: 0 }) as Data
}

export function isStoredData(value: unknown): boolean {
  try {
    copyOfData('', value)
    return true
  } catch (error) {
    if (error instanceof ValidationError) return false
    throw error
  }
}

interface Place {
  readonly subject: string
  readonly path: string
  readonly depth: number
}

function copyOf(value: unknown, place: Place): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'string') return wellFormed(value, place)
  if (typeof value !== 'object') throw unfit(value, place)
  if (place.depth > maximumDepth) throw refused(place.subject, place.path, 'is nested too deep', value)
  if (Array.isArray(value)) return value.map((item: unknown, at) => copyOf(item, within(place, String(at))))
  if (isPlainObject(value)) return copyOfObject(value, place)
  return copyOfInstance(value, place)
}

/** Half of a surrogate pair would be replaced on the way. */
function wellFormed(text: string, place: Place): string {
  if (Buffer.from(text).toString() !== text) throw unfit(text, place)
  return text
}

function copyOfObject(value: Readonly<Record<string, unknown>>, place: Place): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) {
    const innerPlace = within(place, name)
    if (unusableNames.has(name) || name.includes('\0')) {
      throw refused(place.subject, innerPlace.path, 'is no name of a field', inner)
    }
    if (inner !== undefined) copy[wellFormed(name, innerPlace)] = copyOf(inner, innerPlace)
  }
  return copy
}

function copyOfInstance(value: object, place: Place): unknown {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return new Date(value)
  if (value instanceof ObjectId || value instanceof Decimal128) return value
  // Of another copy of the driver, such as one that Mongoose brought with it.
  if ('_bsontype' in value && value._bsontype === 'ObjectId') return toObjectId(value as ObjectId)
  throw unfit(value, place)
}

function within({ subject, path, depth }: Place, name: string): Place {
  return { subject, path: path === '' ? name : `${path}.${name}`, depth: depth + 1 }
}

function unfit(value: unknown, { subject, path }: Place): ValidationError {
  return refused(subject, path, 'is nothing that would be read back as it was written', value)
}
