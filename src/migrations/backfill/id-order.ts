import type { Document } from 'mongodb'

/** The types that an `_id` may have, in the order in which the server sorts them; all numbers are one. */
const types = ['null', 'number', 'string', 'object', 'binData', 'objectId', 'bool', 'date', 'timestamp']

/** The filter of the documents after this id: a comparison alone would leave out those whose ids are of another type. */
export function afterId(id: unknown): Document {
  return afterValue('_id', id)
}

/** The filter of the documents whose field comes after this value, which is of one of the types that an id may have. */
export function afterValue(field: string, value: unknown): Document {
  const later = types.slice(types.indexOf(typeOfId(value)) + 1)
  return { $or: [{ [field]: { $gt: value } }, { [field]: { $type: later } }] }
}

/** The filter of exactly these documents, whose ids are in order. */
export function withIds(ids: readonly unknown[]): Document {
  const [first, last] = [ids[0], ids.at(-1)]
  // A range is found faster than each of them, but it lasts only as far as one type.
  return typeOfId(first) === typeOfId(last) ? { _id: { $gte: first, $lte: last } } : { _id: { $in: ids } }
}

const bsonTypes: Readonly<Record<string, string>> = {
  ObjectId: 'objectId',
  Binary: 'binData',
  Int32: 'number',
  Long: 'number',
  Double: 'number',
  Decimal128: 'number',
  Timestamp: 'timestamp',
}

function typeOfId(id: unknown): string {
  if (id === null || id === undefined) return 'null'
  if (id instanceof Date) return 'date'
  if (typeof id === 'boolean') return 'bool'
  if (typeof id === 'bigint') return 'number'
  if (typeof id !== 'object') return typeof id
  return bsonTypes[String((id as Document)._bsontype)] ?? 'object'
}
