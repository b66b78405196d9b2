import type { Document } from 'mongodb'
import type { Database } from '../database.js'

/** Found collection: what the server says of a collection. */
export interface FoundCollection {
  /** `collection`, `timeseries` or `view`. */
  readonly type: string
  readonly options: Document
}

/** Those of the collections that are there, by name. */
export async function findCollections(
  { native }: Database,
  names: readonly string[],
): Promise<ReadonlyMap<string, FoundCollection>> {
  const found = await native.listCollections({ name: { $in: [...names] } }).toArray()
  return new Map(
    found.map((one) => [
      one.name,
      { type: one.type ?? 'collection', options: 'options' in one ? (one.options ?? {}) : {} },
    ]),
  )
}
