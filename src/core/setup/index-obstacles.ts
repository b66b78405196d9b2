import type { Document } from 'mongodb'
import type { EntityDescription } from '../entity.js'
import { schemaAtAnyItem } from '../field-schema.js'
import { indexName } from '../index-definition.js'
import { isRecord } from '../is-record.js'
import type { Comparison } from './compare.js'
import { anotherName, type SetupObstacle } from './obstacle.js'

const maximumIndexes = 64

/** Indexes that are there and keep a declared one from being built, or documents of the entity from being stored. */
export function indexObstacles({ entity, indexes }: Comparison): SetupObstacle[] {
  const { missing, different, extra } = indexes
  const names = new Set(missing.map(indexName))
  const isTextMissing = missing.some(({ key }) => Object.values(key).includes('text'))
  const problems = extra.flatMap((index): [Document, string][] => [
    ...(isBlocking(entity, index) ? [[index, blockingProblem(entity, index)] satisfies [Document, string]] : []),
    ...(names.has(String(index.name))
      ? [[index, 'has the name of a declared index'] satisfies [Document, string]]
      : []),
    ...(isTextMissing && '_fts' in index.key
      ? [[index, 'is a text index, and another one is declared: a collection has one'] satisfies [Document, string]]
      : []),
  ])
  const found = problems.map(([index, problem]): SetupObstacle => {
    const name = JSON.stringify(index.name)
    return {
      collection: entity.collection,
      kind: 'index',
      problem: `has an index ${name} that ${problem}`,
      advice: `Drop it, db.getCollection(${JSON.stringify(entity.collection)}).dropIndex(${name}), or ${anotherName}`,
    }
  })
  // What is built anew stands beside what it replaces for a while.
  const count = 1 + entity.indexes.length + extra.length + (different.length > 0 ? 1 : 0)
  return count > maximumIndexes ? [...found, tooMany(entity, count)] : found
}

/**
 * Whether the index is unique over a field that documents of the entity never have, or over fields that all may be absent:
 * for it those without would all be the same. One that holds only documents with such a field is in nobody's way.
 */
function isBlocking(
  entity: EntityDescription,
  { key, unique, sparse, partialFilterExpression = {} }: Document,
): boolean {
  const fields = Object.keys(key)
  const undeclared = fields.filter((field) => isUndeclared(entity, field))
  const mayAllBeAbsent = fields.every((field) => mayBeAbsent(entity, field))
  const isSkipped = sparse === true && mayAllBeAbsent
  const isOutside = Object.entries(partialFilterExpression).some(
    ([field, condition]) => mayBeAbsent(entity, field) && isOfPresent(condition),
  )
  return unique === true && (undeclared.length > 0 || mayAllBeAbsent) && !isSkipped && !isOutside
}

function mayBeAbsent(entity: EntityDescription, path: string): boolean {
  return isUndeclared(entity, path) || schemaAtAnyItem(entity, path.split('.')[0] ?? path)?.isOptional() === true
}

function isUndeclared(entity: EntityDescription, path: string): boolean {
  return schemaAtAnyItem(entity, path) === undefined
}

function isOfPresent(condition: unknown): boolean {
  return condition !== null && !(isRecord(condition) && condition.$eq === null)
}

function blockingProblem(entity: EntityDescription, { key }: Document): string {
  const fields = Object.keys(key)
  const undeclared = fields.filter((field) => isUndeclared(entity, field))
  return undeclared.length > 0
    ? `is unique over ${undeclared.join(', ')}, which is not a field of a ${entity.name}: a second one without it would be refused`
    : `is unique over ${fields.join(', ')}, which not every ${entity.name} has: a second one without it would be refused`
}

function tooMany({ collection }: EntityDescription, count: number): SetupObstacle {
  return {
    collection,
    kind: 'index',
    problem: `would have ${count} indexes, and the server takes ${maximumIndexes}`,
    advice: `Drop those that nothing needs, or ${anotherName}`,
  }
}
