export type SortDirection = 1 | -1

export interface IndexDefinition {
  /** Its name, for one beside another of the same key. @default what the server calls it, such as `owner_1_name_1` */
  readonly name?: string
  readonly key: Readonly<Record<string, SortDirection | '2dsphere' | 'text'>>
  /** Of an entity with `softDelete`: unique among the documents that are not deleted. */
  readonly unique?: boolean
  /** Seconds after which a document goes, counted from the date in the index's field. */
  readonly expireAfterSeconds?: number
  /** The documents that the index holds: equality, `$exists: true`, `$gt`, `$gte`, `$lt`, `$lte`, `$type`. */
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>
  /** The query that needs it: an index without a reader is only a cost. */
  readonly serves: string
}

/** The name that was declared, or the one that MongoDB itself gives the index. */
export function indexName(index: Pick<IndexDefinition, 'key' | 'name'>): string {
  return index.name ?? Object.entries(index.key).flat().join('_')
}

/** What an index is called that was built beside the one whose place it took. */
export function rebuiltName(index: Pick<IndexDefinition, 'key' | 'name'>): string {
  return `${indexName(index)}_rebuilt`
}

/**
 * A deleted document frees its unique values: it is in no unique index. Its date among the keys would not do, as two can be
 * deleted in one millisecond. Equality with null also holds where the field is absent, which a partial index cannot say otherwise.
 */
export function amongLiving(index: IndexDefinition): IndexDefinition {
  if (index.unique !== true) return index
  return { ...index, partialFilterExpression: { ...index.partialFilterExpression, deletedAt: null } }
}

export const undeletedIndex: IndexDefinition = {
  key: { deletedAt: 1, _id: 1 },
  serves: 'the documents that are not deleted, in the order of their creation',
}
