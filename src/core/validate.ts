import { z } from 'zod'
import { DatabaseError, ValidationError, type ValidationIssue } from './errors.js'
import { isRecord } from './is-record.js'
import { asZod, type SchemaLike } from './schema-like.js'

/**
 * The data as the schema gives it back: defaults filled in, ids and instants converted.
 * @param subject What the data is, for the message.
 * @throws ValidationError with every issue's path, message and received type, never a value.
 */
export function validateData<Output>(schema: SchemaLike<Output>, data: unknown, subject = 'The data'): Output {
  const result = parseData(schema, data)
  if (result.success) return result.data
  throw new ValidationError(subject, issuesOf(result.error, data))
}

/** @throws DatabaseError `CONFIGURATION` for what is no schema, or one that works asynchronously. */
function parseData<Output>(schema: SchemaLike<Output>, data: unknown): z.ZodSafeParseResult<Output> {
  if (!isRecord(schema) || !('_zod' in schema))
    throw new DatabaseError('CONFIGURATION', 'Data is validated by a zod schema')
  try {
    return asZod(schema).safeParse(data)
  } catch (error) {
    if (!(error instanceof z.core.$ZodAsyncError)) throw error
    throw new DatabaseError('CONFIGURATION', 'The schema works asynchronously: validate with its own parseAsync()')
  }
}

/** The issues of a zod error, each with the type of what was found at its path. */
export function issuesOf(error: z.core.$ZodError, data: unknown): ValidationIssue[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key].join('.'),
        message: 'is not a field',
        received: typeAt(data, [...path, key]),
      }))
    }
    return [{ path: path.join('.'), message: issue.message, received: typeAt(data, path) }]
  })
}

function typeAt(data: unknown, path: readonly string[]): string {
  let value = data
  for (const key of path) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return typeName(value)
}

/** A word for the value's type: `null`, `array`, `date`, `objectId`, `NaN`, or what `typeof` says. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : 'date'
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'object') {
    const bsonType: unknown = (value as { _bsontype?: unknown })._bsontype
    return typeof bsonType === 'string' ? bsonType : 'object'
  }
  return typeof value
}
