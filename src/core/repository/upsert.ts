import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import { stampStage } from '../collection/stamps.js'
import type { EntityDescription, IndexDefinition } from '../entity.js'
import { DatabaseError } from '../errors.js'
import { isPlainObject } from '../is-record.js'
import { refused } from './data.js'

/** What an upsert looks for, and what it writes. */
export interface Upsert {
  readonly query: Readonly<Record<string, { readonly $eq: unknown }>>
  /** The whole input, with defaults. */
  readonly fields: Record<string, unknown>
  /** The names of the fields that the caller gave. */
  readonly given: readonly string[]
}

/**
 * @param parsed The input as its schema gives it back.
 * @throws ValidationError, DatabaseError `CONFIGURATION` if no unique index covers the filter's fields.
 */
export function prepareUpsert(
  entity: EntityDescription,
  filter: unknown,
  parsed: Record<string, unknown>,
  input: object,
): Upsert {
  const subject = `The filter on ${entity.name}`
  if (!isPlainObject(filter)) throw refused(subject, '', 'expected an object of fields', filter)
  const names = Object.keys(filter)
  const query = names.map((name): [string, { $eq: unknown }] => [
    name,
    { $eq: fixedValue(entity, name, filter, parsed) },
  ])
  requireUniqueIndex(entity, names)
  const fields = { ...parsed, ...fixedId(query) }
  const given = Object.entries(input).filter(([name, value]) => name !== '_id' && value !== undefined)
  return { query: Object.fromEntries(query), fields, given: given.map(([name]) => name) }
}

/** The database decides between two that come at once, and only a unique index lets it. */
function requireUniqueIndex({ name, indexes, softDelete }: EntityDescription, names: readonly string[]): void {
  const fixed = new Set(softDelete ? [...names, 'deletedAt'] : names)
  if (fixed.has('_id') || indexes.some((index) => index.unique === true && isWithin(index, fixed))) return
  throw new DatabaseError(
    'CONFIGURATION',
    `No unique index of ${name} covers ${names.join(', ') || 'an empty filter'}, so two upserts at once could create two`,
  )
}

/** Whether documents that agree in these fields cannot both be in the index, and are sure to be in it. */
function isWithin({ key, partialFilterExpression = {} }: IndexDefinition, fixed: ReadonlySet<string>): boolean {
  const isIndexed = ([field, condition]: [string, unknown]) =>
    fixed.has(field) && isDeepStrictEqual(condition, { $exists: true })
  return Object.keys(key).every((field) => fixed.has(field)) && Object.entries(partialFilterExpression).every(isIndexed)
}

/** The value as it is stored: the input may have spelt it otherwise, but has to mean the same. */
function fixedValue(
  entity: EntityDescription,
  name: string,
  filter: Readonly<Record<string, unknown>>,
  parsed: Readonly<Record<string, unknown>>,
): unknown {
  const subject = `The filter on ${entity.name}`
  const { shape } = entity.storedSchema
  const schema = Object.hasOwn(shape, name) ? shape[name] : undefined
  const isInInput = Object.hasOwn(parsed, name)
  if (schema === undefined || !(isInInput || name === '_id') || Object.hasOwn(entity.secrets, name)) {
    throw refused(subject, name, 'is not a field of the input', filter[name])
  }
  const result = schema.safeParse(filter[name])
  if (!result.success) throw refused(subject, name, 'expected a value of the field', filter[name])
  if (isInInput && !isDeepStrictEqual(result.data, parsed[name])) {
    throw refused(subject, name, 'differs from the input', filter[name])
  }
  return result.data
}

function fixedId(query: readonly (readonly [string, { readonly $eq: unknown }])[]): Record<string, unknown> {
  const id = query.find(([name]) => name === '_id')
  return id === undefined ? {} : { _id: id[1].$eq }
}

/** The fields of a `$set` stage: what was given is set, and the rest only where there is no document yet. */
export function upsertStage(
  document: Readonly<Record<string, unknown>>,
  given: readonly string[],
  now: Date,
): Document {
  const isNew = { $eq: [{ $type: '$__v' }, 'missing'] }
  const always = new Set(given)
  const stage = Object.entries(document)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const literal = { $literal: value }
      return [name, always.has(name) ? literal : { $cond: [isNew, literal, `$${name}`] }]
    })
  return { ...Object.fromEntries(stage), ...stampStage(now) }
}
