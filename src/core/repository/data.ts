import type { z } from 'zod'
import type { EntityDescription } from '../entity.js'
import { ValidationError } from '../errors.js'
import { isOpen } from '../field-schema.js'
import { isPlainObject, isRecord } from '../is-record.js'
import { typeName } from '../validate.js'

const maximumDepth = 32
const prototypeKeys = new Set(['__proto__', 'constructor', 'prototype'])
const bsonVersion = Symbol.for('@@mdb.bson.version')

/**
 * Refuses what is more than data: operators, patterns, functions, prototype keys and instances of classes other than the
 * driver's own, anywhere inside the value.
 * @throws ValidationError naming the path.
 */
export function requireData(subject: string, path: string, value: unknown): void {
  requireDataWithin(subject, path, value, 0)
}

/**
 * As {@link requireData}, for the fields of an input whose names are not all declared: of the others the schema lets no
 * such name pass.
 */
export function requireOpenData(entity: EntityDescription, input: unknown, subject: string, prefix = ''): void {
  const open = openFieldsOf(entity)
  if (open.length === 0 || !isRecord(input)) return
  for (const name of open) if (Object.hasOwn(input, name)) requireData(subject, `${prefix}${name}`, input[name])
}

const openFields = new WeakMap<EntityDescription, readonly string[]>()

function openFieldsOf(entity: EntityDescription): readonly string[] {
  const known = openFields.get(entity)
  if (known !== undefined) return known
  const { shape } = entity.storedSchema
  const found = Object.keys(shape).filter((name) => isOpen(shape[name] as z.ZodType))
  openFields.set(entity, found)
  return found
}

function requireDataWithin(subject: string, path: string, value: unknown, depth: number): void {
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(subject, path, 'is not data', value)
  if (typeof value !== 'object' || value === null) return
  if (isLeaf(value)) {
    if (isCode(value)) throw refused(subject, path, 'is not data', value)
    return
  }
  if (depth >= maximumDepth) throw refused(subject, path, `is nested more than ${maximumDepth} deep`, value)
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      if (item === undefined) throw refused(subject, `${path}.${index}`, 'is undefined', item)
      requireDataWithin(subject, `${path}.${index}`, item, depth + 1)
    })
    return
  }
  if (!isPlainObject(value)) throw refused(subject, path, 'is not data', value)
  for (const [key, inner] of Object.entries(value)) {
    const isOperator = key.startsWith('$') || key === '_bsontype' || prototypeKeys.has(key)
    if (isOperator) throw refused(subject, `${path}.${key}`, 'operators are not taken from data', inner)
    if (key.includes('.') || key.includes('\0'))
      throw refused(subject, `${path}.${key}`, 'is no name of a field', inner)
    requireDataWithin(subject, `${path}.${key}`, inner, depth + 1)
  }
}

/** Dates, bytes, and instances of the driver's BSON classes: JSON cannot have the symbol by which they are known. */
function isLeaf(value: object): boolean {
  return value instanceof Date || ArrayBuffer.isView(value) || bsonVersion in value
}

/** What the server matches with or runs, and does not compare. */
function isCode(value: object): boolean {
  return '_bsontype' in value && (value._bsontype === 'BSONRegExp' || value._bsontype === 'Code')
}

export function refused(subject: string, path: string, message: string, value: unknown): ValidationError {
  return new ValidationError(subject, [{ path, message, received: typeName(value) }])
}
