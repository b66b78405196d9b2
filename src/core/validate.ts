import { z } from 'zod'
import { DatabaseError, ValidationError, type ValidationIssue } from './errors.js'
import { isRecord } from './is-record.js'
import { sentenceOf } from './issue-sentence.js'
import { asZod, type SchemaLike } from './schema-like.js'

/**
 * The data as the schema gives it back: defaults filled in, ids and instants converted.
 * @param subject What the data is, for the message.
 * @throws ValidationError with every issue's path, message and received type, never a value.
 */
export function validateData<Output>(schema: SchemaLike<Output>, data: unknown, subject = 'The data'): Output {
  const result = parseData(schema, data)
  if (result.success) return result.data
  throw new ValidationError(typeof subject === 'string' ? subject : 'The data', issuesOf(result.error, data))
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

/** The issues of a zod error, each with the type of what was found at its path. Of a field it is the first that is wrong. */
export function issuesOf(error: z.core.$ZodError, data: unknown): ValidationIssue[] {
  const paths = new Set<string>()
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key].join('.'),
        message: 'is not a field',
        received: typeAt(data, [...path, key]),
      }))
    }
    const place = path.join('.')
    if (paths.has(place)) return []
    paths.add(place)
    const received = typeAt(data, path)
    return [{ path: place, message: sentenceOf(issue, received), received }]
  })
}

function typeAt(data: unknown, path: readonly string[]): string {
  let value = data
  for (const key of path) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return typeName(value)
}

/** The driver's classes; what a class of somebody else calls itself is not repeated. */
const bsonTypes: readonly string[] = [
  ...['ObjectId', 'Decimal128', 'Long', 'Double', 'Int32', 'Timestamp', 'Binary', 'BSONRegExp', 'BSONSymbol', 'Code'],
  ...['DBRef', 'MaxKey', 'MinKey'],
]

/** A word for the value's type: `null`, `array`, `date`, `objectId`, `NaN`, or what `typeof` says. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : 'date'
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'object') {
    // Of the driver's classes it is the prototype's: an input can have a field of that name.
    const bsonType: unknown = Object.hasOwn(value, '_bsontype') ? undefined : Reflect.get(value, '_bsontype')
    return bsonTypes.find((name) => name === bsonType) ?? 'object'
  }
  return typeof value
}

/**
 * The options as the schema gives them back.
 * @param subject What the options are, such as `sessions`.
 * @throws DatabaseError `CONFIGURATION` with the first thing that is wrong.
 */
export function configured<Output>(schema: SchemaLike<Output>, options: unknown, subject: string): Output {
  const result = parseData(schema, options)
  if (result.success) return result.data
  const [issue] = issuesOf(result.error, options)
  const place = [subject, issue?.path].filter((part) => part !== '').join('.')
  throw new DatabaseError('CONFIGURATION', `${place}: ${issue?.message}`)
}
