import type { Filter as DriverFilter } from 'mongodb'
import type { EntityDescription } from '../entity.js'
import { schemaAtAnyItem } from '../field-schema.js'
import { Combination, Condition } from './conditions.js'
import { isPlainObject, refused, requireData } from './data.js'

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
    if (filter.filters.length === 0) throw refused(subject, '', 'combines no filters', filter.filters)
    return { [filter.operator]: filter.filters.map((part) => compile(entity, part, depth + 1)) }
  }
  if (!isPlainObject(filter)) throw refused(subject, '', 'expected an object of fields', filter)
  const compiled: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(filter)) {
    requireField(entity, path, subject)
    compiled[path] = compileValue(subject, path, value)
  }
  return compiled
}

function compileValue(subject: string, path: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) throw refused(subject, path, 'is undefined; leave the field out, or use null', value)
  if (value instanceof Condition) return compileCondition(subject, path, value)
  if (value instanceof Combination) throw refused(subject, path, 'joins whole filters and does not fit a field', value)
  if (value instanceof RegExp) throw refused(subject, path, 'use where.matches() for a pattern', value)
  requireData(subject, path, value)
  return { $eq: value }
}

/** A condition comes from code, but what it compares with may not. */
function compileCondition(
  subject: string,
  path: string,
  { expression }: Condition<unknown>,
): Readonly<Record<string, unknown>> {
  for (const [operator, operand] of Object.entries(expression)) {
    if (operand === undefined) throw refused(subject, path, 'is compared with undefined', operand)
    if (operator === '$regex') {
      if (!(operand instanceof RegExp)) throw refused(subject, path, 'expected a regular expression', operand)
    } else requireData(subject, path, operand)
  }
  return expression
}

/** @throws ValidationError unless the path names a field of the entity that may be asked for. */
export function requireField(entity: EntityDescription, path: string, subject: string): void {
  const head = path.split('.', 1)[0] ?? ''
  if (Object.hasOwn(entity.secrets, head) || schemaAtAnyItem(entity, path) === undefined) {
    throw refused(subject, path, 'is not a field that can be asked for', undefined)
  }
}
