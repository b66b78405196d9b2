import { type Document, ObjectId } from 'mongodb'
import { isRecord } from '../../core/is-record.js'
import type { ScopeDefinition } from './access-rule.js'

/**
 * Which documents somebody may have: all of them, or those that match one of the branches. Without a branch there is none, and no
 * query is sent.
 */
export type DocumentScope = 'all' | readonly Document[]

/** What the scope asks of documents; undefined where the user has nothing that a document could have. */
export function branchOf(definition: ScopeDefinition, user: Document): Document | undefined {
  const branch: Document = {}
  for (const [path, source] of Object.entries(definition)) {
    const values = typeof source === 'string' ? valuesAt(user, source) : source.anyOf
    if (values.length === 0) return undefined
    branch[path] = values.length === 1 ? { $eq: values[0] } : { $in: values }
  }
  return branch
}

/**
 * The query within the scope. The query's conditions are in each branch: so the server reads each along an index, in the order
 * of the sort, and merges them. Outside of the branches they would have it read all of the scope and sort.
 */
export function within(query: Document, branches: readonly Document[]): Document {
  const [first] = branches
  if (first !== undefined && branches.length === 1) return both(query, first)
  // One document is found by its id, whatever else is asked of it.
  if (hasId(query)) return { $and: [query, { $or: branches }] }
  return { $or: branches.map((branch) => both(query, branch)) }
}

function hasId(query: Document): boolean {
  return '_id' in query || (Array.isArray(query.$and) && query.$and.some(hasId))
}

function both(query: Document, branch: Document): Document {
  const isShared = Object.keys(branch).some((path) => Object.hasOwn(query, path))
  return isShared ? { $and: [query, branch] } : { ...query, ...branch }
}

/** What the user has at the path, alone or as a list. Anything but plain values is nothing: it could be an operator. */
function valuesAt(user: Document, path: string): readonly unknown[] {
  const value = path
    .split('.')
    .reduce<unknown>((at, name) => (isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined), user)
  return (Array.isArray(value) ? value : [value]).filter(isPlainValue)
}

function isPlainValue(value: unknown): boolean {
  if (value instanceof ObjectId || value instanceof Date) return true
  return ['string', 'number', 'boolean'].includes(typeof value)
}
