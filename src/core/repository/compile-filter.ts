import { type Filter as DriverFilter, ObjectId } from 'mongodb'
import type { z } from 'zod'
import type { EntityDescription } from '../entity.js'
import { coreSchema, isConverted, itemSchema, schemaAtAnyItem } from '../field-schema.js'
import { isPlainObject } from '../is-record.js'
import { issuesOf } from '../validate.js'
import { Combination, Condition } from './conditions.js'
import { refused, requireData } from './data.js'
import { type HashesOf, sealedFilter } from './sealed-filter.js'

const maximumDepth = 8

/**
 * The filter in the driver's language. Everything that is not a {@link Condition} becomes an equality, so an operator in
 * data from outside is refused and never run.
 * @param hashesOf Gives the hashes that a sealed field is found by; without it sealed fields are refused.
 * @throws ValidationError for unknown fields, operators, prototype keys and `undefined`.
 */
export function compileFilter<T>(entity: EntityDescription, filter: unknown, hashesOf?: HashesOf): DriverFilter<T> {
  return compile({ entity, hashesOf }, filter, 0) as DriverFilter<T>
}

interface Compiling {
  readonly entity: EntityDescription
  readonly hashesOf: HashesOf | undefined
}

function compile(compiling: Compiling, filter: unknown, depth: number): Record<string, unknown> {
  const { entity, hashesOf } = compiling
  const subject = `The filter on ${entity.name}`
  if (depth > maximumDepth) throw refused(subject, '', `is nested more than ${maximumDepth} deep`, filter)
  if (filter instanceof Combination) {
    const { operator, filters } = Combination.partsOf(filter)
    if (filters.length === 0) throw refused(subject, '', 'combines no filters', filters)
    return { [operator]: filters.map((part) => compile(compiling, part, depth + 1)) }
  }
  if (!isPlainObject(filter)) throw refused(subject, '', 'expected an object of fields', filter)
  const compiled: Record<string, unknown> = {}
  const virtual: Record<string, unknown>[] = []
  for (const [path, value] of Object.entries(filter)) {
    const meaning = meaningOf(entity, path, subject, value)
    if (meaning !== undefined) {
      virtual.push(compile(compiling, meaning, depth + 1))
      continue
    }
    if (Object.hasOwn(entity.secrets, path)) {
      Object.assign(compiled, sealedFilter({ entity, field: path, subject }, value, hashesOf))
      continue
    }
    const schema = requireField(entity, path, subject, value)
    compiled[path] = compileValue({ subject, path, schema, entity }, value)
  }
  return virtual.reduce(both, compiled)
}

/** The filter that a virtual of the name stands for; undefined where there is none. */
function meaningOf(
  { behaviour }: EntityDescription,
  name: string,
  subject: string,
  value: unknown,
): object | undefined {
  const { findable = {} } = behaviour
  const virtual = Object.hasOwn(findable, name) ? findable[name] : undefined
  if (virtual === undefined) return undefined
  if (typeof value !== 'boolean') throw refused(subject, name, 'expected true or false', value)
  return value ? virtual.whenTrue : virtual.whenFalse
}

/** One document as far as that is possible, which sorts along an index can be chosen by. */
function both(one: Record<string, unknown>, other: Record<string, unknown>): Record<string, unknown> {
  const isShared = Object.keys(other).some((path) => Object.hasOwn(one, path))
  return isShared ? { $and: [one, other] } : { ...one, ...other }
}

interface FieldContext {
  readonly subject: string
  readonly path: string
  readonly schema: z.ZodType
  readonly entity: EntityDescription
}

function compileValue(field: FieldContext, value: unknown): Readonly<Record<string, unknown>> {
  const { subject, path } = field
  if (value === undefined) throw refused(subject, path, 'is undefined; leave the field out, or use null', value)
  if (value instanceof Condition) return compileCondition(field, value)
  if (value instanceof Combination) throw refused(subject, path, 'joins whole filters and does not fit a field', value)
  if (value instanceof RegExp) throw refused(subject, path, 'use where.matches() for a pattern', value)
  requireData(subject, path, value)
  const [stored, ...legacy] = spellings(field, value)
  return legacy.length === 0 ? { $eq: stored } : { $in: [stored, ...legacy] }
}

/** A condition comes from code, but what it compares with may not. */
function compileCondition(field: FieldContext, { expression }: Condition<unknown>): Readonly<Record<string, unknown>> {
  const { subject, path } = field
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
    if (operator === '$in' || operator === '$nin')
      return [operator, (operand as unknown[]).flatMap((one) => spellings(field, one))]
    const [stored, ...legacy] = operator === '$ne' ? spellings(field, operand) : [asStored(field, operand)]
    return legacy.length === 0 ? [operator, stored] : ['$nin', [stored, ...legacy]]
  })
  return Object.fromEntries(compiled)
}

/** The value as inputs of the field are stored: ids from their digits, instants from their texts. */
function asStored(field: FieldContext, value: unknown): unknown {
  const { schema, subject, path } = field
  if (value === null) return null
  const item = itemSchema(schema)
  if (item !== undefined) {
    const within = { ...field, schema: item }
    return Array.isArray(value) ? value.map((one) => asStored(within, one)) : asStored(within, value)
  }
  if (!isConverted(schema)) return value
  const result = schema.safeParse(value)
  if (result.success) return result.data
  if (isLegacyName(field, value)) return value
  const [issue] = issuesOf(result.error, value)
  throw refused(subject, path, issue?.message ?? 'expected a value of the field', value)
}

/**
 * How documents may have the value: as it is stored, and an id also as the text that was given for it where documents need
 * not fit: some from before the library have texts of 24 digits in the places of ids.
 */
function spellings(field: FieldContext, value: unknown): unknown[] {
  const stored = asStored(field, value)
  const isLegacyId = stored instanceof ObjectId && typeof value === 'string'
  return isLegacyId && field.entity.validationLevel === 'moderate' ? [stored, value] : [stored]
}

/** Whether documents from before the library may have it in the place of an id, such as a room's name. */
function isLegacyName({ entity, path, schema }: FieldContext, value: unknown): boolean {
  const isId = path !== '_id' && coreSchema(schema).meta()?.bsonType === 'objectId'
  return isId && entity.validationLevel === 'moderate' && typeof value === 'string' && value !== ''
}

/** The schema of what the path names. @throws ValidationError unless it names a field of the entity that may be asked for. */
export function requireField(entity: EntityDescription, path: string, subject: string, value: unknown): z.ZodType {
  const head = path.split('.', 1)[0] ?? ''
  const schema = entity.hidden.includes(head) ? undefined : schemaAtAnyItem(entity, path)
  if (schema === undefined) throw refused(subject, path, 'is not a field that can be asked for', value)
  return schema
}
