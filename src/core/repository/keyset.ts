import { BSON, type Document, type Filter } from 'mongodb'
import type { EntityDescription, SortDirection } from '../entity.js'
import { DatabaseError, ValidationError } from '../errors.js'

/** Fields to sort by, the last of which decides between documents that are equal in the others. */
export type KeysetSort = readonly (readonly [field: string, direction: SortDirection])[]

/**
 * The sort with a tie-breaker, in a form that a declared index serves: a keyset page would otherwise read the whole
 * collection each time.
 * @param equalities The fields that the filter fixes to one value.
 * @throws DatabaseError `UNINDEXED_SORT` if no index serves it.
 */
export function keysetSort(entity: EntityDescription, equalities: ReadonlySet<string>, sort: KeysetSort): KeysetSort {
  const last = sort.at(-1)
  const fields = sort.filter(([field]) => field !== '_id')
  const direction = last?.[1] ?? 1
  if (fields.length === 0) return [['_id', direction]]
  const complete: KeysetSort = [...fields, ['_id', direction]]
  for (const index of entity.indexes) {
    const free = Object.entries(index.key).filter(([field]) => !equalities.has(field))
    if (index.partialFilterExpression !== undefined) continue
    if (index.unique === true && free.length === fields.length && runsAlong(free, fields)) return fields
    if (runsAlong(free, complete)) return complete
  }
  const wanted = complete.map(([field, way]) => `${field}: ${way}`).join(', ')
  throw new DatabaseError(
    'UNINDEXED_SORT',
    `No index of ${entity.collection} serves the sort { ${wanted} }: declare one that ends so`,
  )
}

function runsAlong(indexed: readonly (readonly [string, unknown])[], sort: KeysetSort): boolean {
  if (indexed.length < sort.length) return false
  const runs = (sign: 1 | -1) =>
    sort.every(([field, direction], at) => indexed[at]?.[0] === field && indexed[at]?.[1] === direction * sign)
  return runs(1) || runs(-1)
}

/** A cursor that names the last document of a page by its sort values; opaque, and safe in a URL. */
export function encodeCursor(sort: KeysetSort, document: Document): string {
  const values = sort.map(([field]) => valueAt(document, field) ?? null)
  return Buffer.from(BSON.EJSON.stringify({ s: sortKey(sort), v: values }, { relaxed: false })).toString('base64url')
}

/** The documents after the cursor, in the order of the sort. @throws ValidationError if the cursor is not one of this sort. */
export function afterCursor(sort: KeysetSort, cursor: string): Filter<Document> {
  const values = decodeCursor(sort, cursor)
  const alternatives = sort.map(([field, direction], at) => {
    const beyond = beyondValue(field, direction, values[at])
    if (beyond === undefined) return undefined
    const equal = sort.slice(0, at).map(([name], before) => ({ [name]: { $eq: values[before] } }))
    return equal.length === 0 ? beyond : { $and: [...equal, beyond] }
  })
  const possible = alternatives.filter((alternative) => alternative !== undefined)
  return possible.length === 0 ? { _id: { $in: [] } } : { $or: possible }
}

/** MongoDB compares only values of one type; absent and null ones sort before all others and need a branch of their own. */
function beyondValue(field: string, direction: SortDirection, value: unknown): Filter<Document> | undefined {
  if (value === null) return direction === 1 ? { [field]: { $ne: null } } : undefined
  if (direction === 1) return { [field]: { $gt: value } }
  return { $or: [{ [field]: { $lt: value } }, { [field]: { $eq: null } }] }
}

function decodeCursor(sort: KeysetSort, cursor: string): unknown[] {
  let decoded: unknown
  try {
    decoded = BSON.EJSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw badCursor('is not a cursor')
  }
  const { s: key, v: values } = (decoded ?? {}) as { s?: unknown; v?: unknown }
  if (key !== sortKey(sort) || !Array.isArray(values) || values.length !== sort.length)
    throw badCursor('belongs to another sort')
  if (!values.every(isScalar)) throw badCursor('is not a cursor')
  return values
}

function badCursor(message: string): ValidationError {
  return new ValidationError('The query', [{ path: 'cursor', message, received: 'string' }])
}

function isScalar(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value)) return true
  return value instanceof Date || (typeof value === 'object' && '_bsontype' in value && value._bsontype === 'ObjectId')
}

function sortKey(sort: KeysetSort): string {
  return sort.map(([field, direction]) => `${direction === 1 ? '' : '-'}${field}`).join(',')
}

function valueAt(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Document | null | undefined)?.[key], document)
}
