import type { Document } from 'mongodb'
import { isRecord } from '../../../core/is-record.js'
import type { CollectionMapping, FieldMapping } from './mapping.js'

/** The documents of a collection with the fields where the public versions of the system have them. */
export interface View {
  /** The collection's name in the database; null if it is left out. */
  readonly from: string | null
  see(document: Document): Document
  /** A filter or an order by the public versions' fields, by those of the database. */
  query<Query extends object>(query: Query): Query
}

/** @param items The fields of the items of lists in the documents, by the name of the list. */
export function viewOf(mapping: CollectionMapping, items: Readonly<Record<string, CollectionMapping>> = {}): View {
  const moved = movedFields(mapping)
  const movedItems = Object.entries(items).flatMap(([list, of]) => {
    const fields = movedFields(of)
    return fields.length === 0 ? [] : [[list, fields] as const]
  })
  const names = new Map(moved.map(([field, { from }]) => [field, from]))
  return {
    from: mapping.from,
    see: (document) => {
      if (moved.length === 0 && movedItems.length === 0) return document
      const seen = withMoved(document, moved)
      for (const [list, fields] of movedItems) {
        const found: unknown = seen[list]
        if (Array.isArray(found)) seen[list] = found.map((one) => (isRecord(one) ? withMoved(one, fields) : one))
      }
      return seen
    },
    query: (query) => {
      const renamed = Object.entries(query).map(([field, value]) => [names.get(field) ?? field, value])
      return Object.fromEntries(renamed)
    },
  }
}

type Moved = readonly (readonly [string, FieldMapping])[]

function movedFields({ fields }: CollectionMapping): Moved {
  return Object.entries(fields).filter(([field, { from }]) => field !== from)
}

function withMoved(document: Document, moved: Moved): Document {
  const seen: Document = { ...document }
  for (const [field, { from }] of moved) seen[field] = valueAt(document, from)
  return seen
}

function valueAt(document: Document, path: string): unknown {
  let value: unknown = document
  for (const key of path.split('.')) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}
