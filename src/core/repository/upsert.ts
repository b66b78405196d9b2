import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import { stampStage } from '../collection/stamps.js'
import type { EntityDescription } from '../entity.js'
import { DatabaseError } from '../errors.js'
import type { IndexDefinition } from '../index-definition.js'
import { isPlainObject } from '../is-record.js'
import { refused } from './data.js'
import { holdsAll } from './partial-index.js'

/** What an upsert looks for, and what it writes. */
export interface Upsert {
  readonly query: Readonly<Record<string, { readonly $eq: unknown }>>
  /** The whole input, with defaults. */
  readonly fields: Record<string, unknown>
  /** The names of the fields that the caller gave, as far as they may change. */
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
  requireUniqueIndex(entity, query)
  const fields = { ...parsed, ...fixedId(query) }
  const given = Object.entries(input).filter(
    ([name, value]) => name !== '_id' && value !== undefined && !entity.immutable.includes(name),
  )
  return { query: Object.fromEntries(query), fields, given: given.map(([name]) => name) }
}

/** The database decides between two that come at once, and only a unique index lets it. */
function requireUniqueIndex(
  { name, indexes, softDelete }: EntityDescription,
  query: readonly (readonly [string, { readonly $eq: unknown }])[],
): void {
  const values = new Map(query.map(([field, { $eq }]) => [field, $eq]))
  if (softDelete) values.set('deletedAt', null)
  if (values.has('_id') || indexes.some((index) => index.unique === true && isWithin(index, values))) return
  const names = query.map(([field]) => field)
  throw new DatabaseError(
    'CONFIGURATION',
    `No unique index of ${name} covers ${names.join(', ') || 'an empty filter'}, so two upserts at once could create two`,
  )
}

/** Whether documents that agree in these fields cannot both be in the index, and are sure to be in it. */
function isWithin(index: IndexDefinition, values: ReadonlyMap<string, unknown>): boolean {
  return Object.keys(index.key).every((field) => values.has(field)) && holdsAll(index, values)
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
  if (schema === undefined || !(isInInput || name === '_id') || entity.hidden.includes(name)) {
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
