import type { Document } from 'mongodb'
import { isRecord } from '../../core/is-record.js'
import { groupByShape, type ProfiledOperation, type RecordedQuery } from '../profiler/recorded-queries.js'
import type { IndexAdvice, IndexAdviceReport } from './advice.js'

/** A query that examines fewer documents is quick without an index. */
const fewDocuments = 100
/** Documents examined for each that is returned. */
const wastefulRatio = 10
const mostFields = 8

/** For queries that read far more than they return, or sort in memory: the key that would serve them. */
export function missingIndexes(operations: readonly ProfiledOperation[]): IndexAdvice[] {
  return groupByShape(operations).flatMap(({ query, example }): IndexAdvice[] => {
    if (!isWasteful(query)) return []
    const key = keyFor(example)
    if (key === undefined || Object.keys(key).length === 0) return []
    const undo = `dropIndex(${JSON.stringify(Object.entries(key).flat().join('_'))})`
    return [{ kind: 'missing', collection: query.collection, key, query, undo }]
  })
}

function isWasteful({ count, documentsExamined, returned, isSortedInMemory, planSummary }: RecordedQuery): boolean {
  const examined = documentsExamined / count
  if (isSortedInMemory && examined > fewDocuments) return true
  if (examined <= fewDocuments) return false
  return planSummary === 'COLLSCAN' || documentsExamined > wastefulRatio * Math.max(1, returned)
}

/** The share of the recorded reads that an index has served. */
export function hitRateOf(operations: readonly ProfiledOperation[]): IndexAdviceReport['hitRate'] {
  const planned = operations.filter(({ entry }) => typeof entry.planSummary === 'string')
  if (planned.length === 0) return null
  const servedByIndex = planned.filter(({ entry }) => !String(entry.planSummary).includes('COLLSCAN')).length
  return { calls: planned.length, servedByIndex, share: servedByIndex / planned.length }
}

/** Equalities, then the sort, then ranges: MongoDB's own rule for the order of a key. */
function keyFor(command: Document): Record<string, 1 | -1> | undefined {
  const asked = isRecord(command.originatingCommand) ? command.originatingCommand : command
  const [first] = [asked.updates, asked.deletes].flat().filter(isRecord)
  const { pipeline } = asked
  const match = Array.isArray(pipeline) && isRecord(pipeline[0]) ? pipeline[0].$match : undefined
  const filter = asked.filter ?? asked.query ?? asked.q ?? first?.q ?? match
  const stages: readonly unknown[] = Array.isArray(pipeline) ? pipeline : []
  const sorting = stages.find((stage): stage is Document => isRecord(stage) && isRecord(stage.$sort))
  const sort = asked.sort ?? sorting?.$sort
  if (!isRecord(filter) && !isRecord(sort)) return undefined
  const conditions = isRecord(filter) ? conditionsOf(filter) : []
  const key: Record<string, 1 | -1> = {}
  for (const { field } of conditions.filter(({ isEquality }) => isEquality)) key[field] = 1
  for (const [field, direction] of Object.entries(isRecord(sort) ? sort : {}))
    if (direction === 1 || direction === -1) key[field] ??= direction
  for (const { field } of conditions.filter(({ isEquality }) => !isEquality)) key[field] ??= 1
  return Object.fromEntries(Object.entries(key).slice(0, mostFields))
}

interface FieldCondition {
  readonly field: string
  readonly isEquality: boolean
}

/** Those that hold of every document that is found: what stands in an `$or` needs an index for each side. */
function conditionsOf(filter: Document): FieldCondition[] {
  return Object.entries(filter).flatMap(([field, value]): FieldCondition[] => {
    if (field === '$and' && Array.isArray(value)) return value.filter(isRecord).flatMap(conditionsOf)
    if (field.startsWith('$')) return []
    const operators = isRecord(value) ? Object.keys(value).filter((name) => name.startsWith('$')) : []
    if (operators.some((name) => ['$ne', '$nin', '$not', '$exists', '$regex'].includes(name))) return []
    const isEquality = operators.every((name) => name === '$eq' || name === '$in')
    return [{ field, isEquality }]
  })
}
