import type { Filter as DriverFilter } from 'mongodb'
import type { z } from 'zod'
import type { EntityDescription } from '../entity.js'
import { isConverted, itemSchema, schemaAtAnyItem } from '../field-schema.js'
import { isPlainObject } from '../is-record.js'
import { Combination, Condition } from './conditions.js'
import { refused, requireData } from './data.js'

const maximumDepth = 8

/**
 * The filter in the driver's language. Everything that is not a {@link Condition} becomes an equality, so an operator in
 * data from outside is refused and never run.
 * @throws ValidationError for unknown fields, operators, prototype keys and `undefined`.
 */
export function compileFilter<T>(entity: EntityDescription, filter: unknown): DriverFilter<T> {
  return compile(entity, filter, 0) as DriverFilter<T>
}

function compile(entity: EntityDescription, filter: unknown, depth: number): Record<string, unknown> {
  const subject = `The filter on ${entity.name}`
  if (depth > maximumDepth) throw refused(subject, '', `is nested more than ${maximumDepth} deep`, filter)
  if (filter instanceof Combination) {
    const { operator, filters } = Combination.partsOf(filter)
    if (filters.length === 0) throw refused(subject, '', 'combines no filters', filters)
    return { [operator]: filters.map((part) => compile(entity, part, depth + 1)) }
  }
  if (!isPlainObject(filter)) throw refused(subject, '', 'expected an object of fields', filter)
  const compiled: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(filter)) {
    compiled[path] = compileValue({ subject, path, schema: requireField(entity, path, subject, value) }, value)
  }
  return compiled
}

interface Place {
  readonly subject: string
  readonly path: string
  readonly schema: z.ZodType
}

function compileValue(place: Place, value: unknown): Readonly<Record<string, unknown>> {
  const { subject, path } = place
  if (value === undefined) throw refused(subject, path, 'is undefined; leave the field out, or use null', value)
  if (value instanceof Condition) return compileCondition(place, value)
  if (value instanceof Combination) throw refused(subject, path, 'joins whole filters and does not fit a field', value)
  if (value instanceof RegExp) throw refused(subject, path, 'use where.matches() for a pattern', value)
  requireData(subject, path, value)
  return { $eq: asStored(place, value) }
}

/** A condition comes from code, but what it compares with may not. */
function compileCondition(place: Place, { expression }: Condition<unknown>): Readonly<Record<string, unknown>> {
  const { subject, path } = place
  const compiled = Object.entries(expression).map(([operator, operand]): [string, unknown] => {
    if (operand === undefined) throw refused(subject, path, 'is compared with undefined', operand)
    if (operator === '$regex') {
      if (!(operand instanceof RegExp)) throw refused(subject, path, 'expected a regular expression', operand)
      return [operator, operand]
    }
    if (operator === '$exists') {
      if (typeof operand !== 'boolean') throw refused(subject, path, 'expected true or false', operand)
      return [operator, operand]
    }
    requireData(subject, path, operand)
    const isList = operator === '$in' || operator === '$nin'
    return [operator, isList ? (operand as unknown[]).map((one) => asStored(place, one)) : asStored(place, operand)]
  })
  return Object.fromEntries(compiled)
}

/** The value as inputs of the field are stored: ids from their digits, instants from their texts. */
function asStored(place: Place, value: unknown): unknown {
  const { schema, subject, path } = place
  if (value === null) return null
  const item = itemSchema(schema)
  if (item !== undefined) {
    const within = { ...place, schema: item }
    return Array.isArray(value) ? value.map((one) => asStored(within, one)) : asStored(within, value)
  }
  if (!isConverted(schema)) return value
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw refused(subject, path, result.error.issues[0]?.message ?? 'expected a value of the field', value)
}

/** The schema of what the path names. @throws ValidationError unless it names a field of the entity that may be asked for. */
export function requireField(entity: EntityDescription, path: string, subject: string, value: unknown): z.ZodType {
  const head = path.split('.', 1)[0] ?? ''
  const schema = Object.hasOwn(entity.secrets, head) ? undefined : schemaAtAnyItem(entity, path)
  if (schema === undefined) throw refused(subject, path, 'is not a field that can be asked for', value)
  return schema
}
