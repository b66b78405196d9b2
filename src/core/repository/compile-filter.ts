import type { Filter as DriverFilter } from 'mongodb'
import type { EntityDescription } from '../entity.js'
import { ValidationError } from '../errors.js'
import { typeName } from '../validate.js'
import { Combination, Condition } from './conditions.js'

const forbiddenSegments = new Set(['__proto__', 'constructor', 'prototype'])
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
  if (depth > maximumDepth) throw refused(entity, '', `is nested more than ${maximumDepth} deep`, 'object')
  if (filter instanceof Combination) {
    if (filter.filters.length === 0) throw refused(entity, '', 'combines no filters', 'array')
    return { [filter.operator]: filter.filters.map((part) => compile(entity, part, depth + 1)) }
  }
  if (
    typeof filter !== 'object' ||
    filter === null ||
    Array.isArray(filter) ||
    Object.getPrototypeOf(filter) !== Object.prototype
  ) {
    throw refused(entity, '', 'expected an object of fields', typeName(filter))
  }
  const compiled: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(filter)) {
    checkPath(entity, path)
    compiled[path] = compileValue(entity, path, value)
  }
  return compiled
}

function compileValue(entity: EntityDescription, path: string, value: unknown): unknown {
  if (value === undefined) throw refused(entity, path, 'is undefined; leave the field out, or use null', 'undefined')
  if (value instanceof Condition) return value.expression
  if (value instanceof Combination)
    throw refused(entity, path, 'joins whole filters and does not fit a field', 'object')
  if (value instanceof RegExp) throw refused(entity, path, 'use where.matches() for a pattern', 'regexp')
  refuseOperators(entity, path, value, 0)
  return { $eq: value }
}

/** Checks that the path names a field of the entity. */
export function checkPath(entity: EntityDescription, path: string): void {
  const segments = path.split('.')
  const head = segments[0] ?? ''
  if (segments.some((segment) => segment === '' || segment.startsWith('$') || forbiddenSegments.has(segment))) {
    throw refused(entity, path, 'is not a field', 'unknown')
  }
  if (!Object.hasOwn(entity.storedSchema.shape, head) || Object.hasOwn(entity.secrets, head)) {
    throw refused(entity, path, 'is not a field that can be asked for', 'unknown')
  }
}

/** Refuses data that MongoDB could take for an operator, anywhere inside the value. */
export function refuseOperators(entity: EntityDescription, path: string, value: unknown, depth: number): void {
  if (
    typeof value !== 'object' ||
    value === null ||
    value instanceof Date ||
    isBsonValue(value) ||
    ArrayBuffer.isView(value)
  ) {
    if (typeof value === 'function' || typeof value === 'symbol')
      throw refused(entity, path, 'is not data', typeof value)
    return
  }
  if (depth > maximumDepth) throw refused(entity, path, `is nested more than ${maximumDepth} deep`, 'object')
  if (value instanceof Condition) throw refused(entity, path, 'has a condition inside a value', 'object')
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('$') || key === '_bsontype' || forbiddenSegments.has(key))
      throw refused(entity, `${path}.${key}`, 'operators are not taken from data', 'object')
    refuseOperators(entity, `${path}.${key}`, inner, depth + 1)
  }
}

/** Whether the value is an instance of one of the driver's BSON classes; data that only says so of itself is not. */
function isBsonValue(value: object): boolean {
  return '_bsontype' in value && !Object.hasOwn(value, '_bsontype')
}

function refused(entity: EntityDescription, path: string, message: string, received: string): ValidationError {
  return new ValidationError(`The filter on ${entity.name}`, [{ path, message, received }])
}
