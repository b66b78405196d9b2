import { BSON, type Document, type Filter, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../collection/entity-collection.js'
import type { StoreFilter, StoreFindOptions } from '../collection/store-query.js'
import type { EntityDescription, Identified } from '../entity.js'
import { DatabaseError, type ValidationError } from '../errors.js'
import { coreSchema, schemaAt } from '../field-schema.js'
import type { IndexDefinition, SortDirection } from '../index-definition.js'
import { isRecord } from '../is-record.js'
import { refused } from './data.js'
import { holdsAll } from './partial-index.js'
import type { Projection } from './selection.js'

/** Fields to sort by, the last of which decides between documents that are equal in the others. */
export type KeysetSort = readonly (readonly [field: string, direction: SortDirection])[]

/** The sort in the driver's language. */
export function asSort(sort: KeysetSort): Record<string, SortDirection> {
  return Object.fromEntries(sort)
}

/**
 * The sort with a tie-breaker, in a form that a declared index serves: a keyset page would otherwise read the whole
 * collection each time.
 * @param equalities The fields that the filter fixes to one value, with it.
 * @throws DatabaseError `UNINDEXED_SORT` if no index serves it, ValidationError for a field whose values have no one order.
 */
export function keysetSort(
  entity: EntityDescription,
  equalities: ReadonlyMap<string, unknown>,
  sort: KeysetSort,
): KeysetSort {
  const idAt = sort.findIndex(([field]) => field === '_id')
  // What would come after the `_id` decides nothing.
  const fields = idAt === -1 ? sort : sort.slice(0, idAt)
  const complete: KeysetSort = [...fields, ['_id', sort[idAt]?.[1] ?? sort.at(-1)?.[1] ?? 1]]
  if (fields.length === 0) return complete
  for (const [field] of fields) requireOneOrder(entity, field)
  for (const index of entity.indexes) {
    if (!holdsAll(index, equalities)) continue
    const free = Object.entries(index.key).filter(([field]) => !equalities.has(field))
    if (index.unique === true && free.length === fields.length && runsAlong(free, fields)) return fields
    if (runsAlong(free, complete)) return complete
  }
  throw unindexed(entity, equalities, complete)
}

function unindexed(
  entity: EntityDescription,
  equalities: ReadonlyMap<string, unknown>,
  sort: KeysetSort,
): DatabaseError {
  const wanted = sort.map(([field, way]) => `${field}: ${way}`).join(', ')
  const close = entity.indexes
    .filter((index) => holdsAll(index, equalities))
    .map(({ key }) => Object.entries(key))
    .find((key) => key.length > sort.length && runsAlong(key.slice(-sort.length), sort))
  const missing = (close ?? []).slice(0, -sort.length).flatMap(([field]) => (equalities.has(field) ? [] : [field]))
  const advice =
    missing.length === 0
      ? 'declare one that ends so'
      : `one would if the filter fixed ${missing.join(' and ')} to one value`
  return new DatabaseError(
    'UNINDEXED_SORT',
    `No index of ${entity.collection} serves the sort { ${wanted} }: ${advice}`,
  )
}

function runsAlong(indexed: readonly (readonly [string, IndexDefinition['key'][string]])[], sort: KeysetSort): boolean {
  if (indexed.length < sort.length) return false
  const runs = (sign: 1 | -1) =>
    sort.every(([field, direction], at) => indexed[at]?.[0] === field && indexed[at]?.[1] === direction * sign)
  return runs(1) || runs(-1)
}

/** Comparisons see values of one type only, and a list is sorted by its least item: neither could be walked without gaps. */
function requireOneOrder(entity: EntityDescription, field: string): void {
  const schema = schemaAt(entity, field)
  if (schema === undefined || !hasOneOrder(coreSchema(schema))) {
    throw refused(`The sort of ${entity.name}`, field, 'has values of several types, and no one order', undefined)
  }
}

function hasOneOrder(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodEnum) return new Set(schema.options.map((option) => typeof option)).size === 1
  if (schema instanceof z.ZodLiteral) return new Set([...schema.values].map((value) => typeof value)).size === 1
  return (
    schema instanceof z.ZodString ||
    schema instanceof z.ZodStringFormat ||
    schema instanceof z.ZodNumber ||
    schema instanceof z.ZodBoolean ||
    schema instanceof z.ZodDate ||
    schema.meta()?.bsonType === 'objectId'
  )
}

/** A cursor that names the last document of a page by its sort values; opaque, and safe in a URL. */
export function encodeCursor(sort: KeysetSort, document: Document): string {
  const values = sort.map(([field]) => valueAt(document, field) ?? null)
  return Buffer.from(BSON.EJSON.stringify({ s: sortKey(sort), v: values }, { relaxed: false })).toString('base64url')
}

/**
 * What follows the cursor, as queries whose documents come one after the other in the order of the sort: first those that
 * agree with it in all fields but the last, and so on. Each reads one range of the index. Joined by `$or`, the server may
 * merge the ranges by the documents' fields, where absent comes before null; in the index they are equal.
 * @throws ValidationError if the cursor is not one of this sort.
 */
export function queriesAfter<T>(query: Filter<T>, sort: KeysetSort, cursor: unknown): Filter<T>[] {
  if (cursor == null) return [query]
  const values = decodeCursor(sort, cursor)
  const ranges = sort.flatMap(([field, direction], at) => {
    const beyond = beyondValue(direction, values[at])
    const equal = sort.slice(0, at).map(([name], before) => [name, { $eq: values[before] }])
    return beyond === undefined ? [] : [{ ...Object.fromEntries(equal), [field]: beyond }]
  })
  return ranges.reverse().map((range) => ({ $and: [query, range] }) as Filter<T>)
}

/** Absent and null come before all values; MongoDB's `$lt` leaves them out, and the negation takes them in. */
function beyondValue(direction: SortDirection, value: unknown): Document | undefined {
  if (direction === 1) return value === null ? { $ne: null } : { $gt: value }
  return value === null ? undefined : { $not: { $gte: value } }
}

/** The first documents of the queries in turn; each is asked only if those before it had too few. */
export async function findInTurn<Stored extends Identified>(
  documents: EntityCollection<Stored>,
  queries: readonly Document[],
  limit: number,
  options: StoreFindOptions,
): Promise<Document[]> {
  const found: Document[] = []
  for (const query of queries) {
    found.push(
      ...(await documents.find<Document>(query as StoreFilter<Stored>, { ...options, limit: limit - found.length })),
    )
    if (found.length >= limit) break
  }
  return found
}

const maximumCursorLength = 16_384

function decodeCursor(sort: KeysetSort, cursor: unknown): unknown[] {
  if (typeof cursor !== 'string' || cursor.length > maximumCursorLength) throw badCursor('is not a cursor', cursor)
  const { s: key, v: values } = parseCursor(cursor)
  if (key !== sortKey(sort) || !Array.isArray(values) || values.length !== sort.length)
    throw badCursor('belongs to another sort', cursor)
  if (!values.every(isScalar)) throw badCursor('is not a cursor', cursor)
  return values
}

function parseCursor(cursor: string): Record<string, unknown> {
  try {
    const parsed: unknown = BSON.EJSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (isRecord(parsed)) return parsed
  } catch {
    // What it is instead does not matter, and is not to be shown.
  }
  throw badCursor('is not a cursor', cursor)
}

function badCursor(message: string, cursor: unknown): ValidationError {
  return refused('The query', 'cursor', message, cursor)
}

function isScalar(value: unknown): boolean {
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  return value === null || value instanceof ObjectId || ['string', 'number', 'boolean'].includes(typeof value)
}

function sortKey(sort: KeysetSort): string {
  return sort.map(([field, direction]) => `${direction === 1 ? '' : '-'}${field}`).join(',')
}

function valueAt(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Document | null | undefined)?.[key], document)
}

/** The fields that the filter fixes to one value, with it; a list could equal a field's value or one of its items. */
export function equalitiesOf(query: Document): ReadonlyMap<string, unknown> {
  const fixed = Object.entries(query).flatMap(([field, condition]): (readonly [string, unknown])[] => {
    if (field === '$and') return (condition as Document[]).flatMap((part) => [...equalitiesOf(part)])
    return '$eq' in Object(condition) && !Array.isArray(condition.$eq) ? [[field, condition.$eq]] : []
  })
  return new Map(fixed)
}

/** The cursor is made of the sort's fields, so they are read too. */
export function withSortFields(projection: Projection | undefined, sort: KeysetSort): { projection?: Projection } {
  if (projection === undefined) return {}
  if (Object.values(projection).includes(0)) return { projection }
  return { projection: { ...projection, ...Object.fromEntries(sort.map(([field]) => [field, 1])) } }
}

/** Takes away what was read for the cursor only. */
export function keepOnly(documents: readonly Document[], projection: Projection): void {
  for (const document of documents) {
    for (const name of Object.keys(document)) if (!Object.hasOwn(projection, name)) delete document[name]
  }
}
