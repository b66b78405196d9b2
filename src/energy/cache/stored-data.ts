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

interface DataPath {
  readonly subject: string
  readonly path: string
  readonly depth: number
}

function copyOf(value: unknown, at: DataPath): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'string') return wellFormed(value, at)
  if (typeof value !== 'object') throw unfit(value, at)
  if (at.depth > maximumDepth) throw refused(at.subject, at.path, 'is nested too deep', value)
  if (Array.isArray(value)) return value.map((item: unknown, index) => copyOf(item, inside(at, String(index))))
  if (isPlainObject(value)) return copyOfObject(value, at)
  return copyOfInstance(value, at)
}

/** Half of a surrogate pair would be replaced on the way. */
function wellFormed(text: string, at: DataPath): string {
  if (Buffer.from(text).toString() !== text) throw unfit(text, at)
  return text
}

function copyOfObject(value: Readonly<Record<string, unknown>>, at: DataPath): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) {
    const innerAt = inside(at, name)
    if (unusableNames.has(name) || name.includes('\0')) {
      throw refused(at.subject, innerAt.path, 'is no name of a field', inner)
    }
    if (inner !== undefined) copy[wellFormed(name, innerAt)] = copyOf(inner, innerAt)
  }
  return copy
}

function copyOfInstance(value: object, at: DataPath): unknown {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return new Date(value)
  if (value instanceof ObjectId || value instanceof Decimal128) return value
  // Of another copy of the driver, such as one that Mongoose brought with it.
  if ('_bsontype' in value && value._bsontype === 'ObjectId') return toObjectId(value as ObjectId)
  throw unfit(value, at)
}

function inside({ subject, path, depth }: DataPath, name: string): DataPath {
  return { subject, path: path === '' ? name : `${path}.${name}`, depth: depth + 1 }
}

function unfit(value: unknown, { subject, path }: DataPath): ValidationError {
  return refused(subject, path, 'is nothing that would be read back as it was written', value)
}
