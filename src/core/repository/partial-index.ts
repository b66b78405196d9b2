import { isDeepStrictEqual } from 'node:util'
import type { IndexDefinition } from '../index-definition.js'

/** Whether the index holds every document in which the fields have these values. */
export function holdsAll(
  { partialFilterExpression = {} }: IndexDefinition,
  values: ReadonlyMap<string, unknown>,
): boolean {
  return Object.entries(partialFilterExpression).every(
    ([field, condition]) => values.has(field) && isMet(condition, values.get(field)),
  )
}

function isMet(condition: unknown, value: unknown): boolean {
  // A query for null finds documents without the field too.
  if (isDeepStrictEqual(condition, { $exists: true })) return value !== null
  if (isDeepStrictEqual(condition, anyText)) return typeof value === 'string' && value !== ''
  return isDeepStrictEqual(condition, value)
}

/** Of an optional text: only documents that have one. */
const anyText = { $gt: '' }
