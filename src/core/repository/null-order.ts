import type { Document, Filter } from 'mongodb'
import type { EntityDescription } from '../entity.js'
import { schemaAtAnyItem } from '../field-schema.js'

/**
 * The filter in a form that the server sorts in one way only. An absent value and null are equal in an index and in a
 * sort; but where each branch of an `$or` is read along the sort's index, the server merges them (SORT_MERGE) by the
 * documents' fields, and there absent comes before null: the order would depend on the plan. A branch more, which holds
 * nothing and which no index of the sort serves, rules that plan out and leaves all others.
 */
export function unmerged<T>(entity: EntityDescription, query: Filter<T>, sort: object | undefined): Filter<T> {
  if (sort === undefined || !('$or' in query || '$and' in query) || entity.timeSeries !== undefined) return query
  return Object.keys(sort).some((field) => takesNull(entity, field)) ? withBranch(query) : query
}

function takesNull(entity: EntityDescription, field: string): boolean {
  return schemaAtAnyItem(entity, field)?.safeParse(null).success === true
}

/** No document is without an id. */
const nothing: Document = { _id: { $eq: null } }

function withBranch<T>(query: Filter<T>): Filter<T> {
  const { $or, $and } = query as { readonly $or?: readonly Document[]; readonly $and?: readonly Document[] }
  return {
    ...query,
    ...($or === undefined ? {} : { $or: [...$or, nothing] }),
    ...($and === undefined ? {} : { $and: $and.map(withBranch) }),
  } as Filter<T>
}
