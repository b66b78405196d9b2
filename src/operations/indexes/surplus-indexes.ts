import { isDeepStrictEqual } from 'node:util'
import type { IndexAdvice } from './advice.js'
import type { IndexUse } from './index-use.js'

const dayMs = 86_400_000

/** What an index is declared for by an entity. */
export type DeclaredFor = (index: Pick<IndexUse, 'collection' | 'key'>) => string | null

/**
 * Indexes that nothing has used on any member for so many days. Those that have another work are left out: unique ones, those
 * that remove documents by their age, and `_id_`. Nothing is called unused while a member could not be asked.
 */
export function unusedIndexes(
  indexes: readonly IndexUse[],
  { now, minimumDays, declaredFor }: { now: Date; minimumDays: number; declaredFor: DeclaredFor },
): IndexAdvice[] {
  return indexes.flatMap((index): IndexAdvice[] => {
    const { members, unreached, options } = index
    if (hasOtherWork(index) || unreached.length > 0 || members.length === 0) return []
    const daysSeen = Math.min(...members.map(({ since }) => (now.getTime() - since.getTime()) / dayMs))
    if (daysSeen < minimumDays || members.some(({ uses }) => uses > 0)) return []
    const about = aboutOf(index, declaredFor)
    return options.hidden === true
      ? [{ kind: 'hidden', ...about, daysSeen }]
      : [{ kind: 'unused', ...about, members, daysSeen }]
  })
}

/**
 * Indexes whose key is the beginning of another one's. One that is partial, sparse, unique or hidden, that has another
 * collation, or removes documents by their age answers or does something that the other cannot.
 */
export function redundantIndexes(indexes: readonly IndexUse[], declaredFor: DeclaredFor): IndexAdvice[] {
  const plain = indexes.filter((index) => !hasOtherWork(index) && isOrdinary(index))
  return plain.flatMap((index): IndexAdvice[] => {
    const covering = indexes.find(
      (other) =>
        other.collection === index.collection &&
        other.name !== index.name &&
        isOrdinary(other) &&
        isDeepStrictEqual(other.options.collation, index.options.collation) &&
        isBeginning(index.key, other.key),
    )
    return covering === undefined
      ? []
      : [{ kind: 'redundant', ...aboutOf(index, declaredFor), coveredBy: covering.name }]
  })
}

function hasOtherWork({ name, options }: IndexUse): boolean {
  return name === '_id_' || options.unique === true || options.expireAfterSeconds !== undefined
}

/** Whether it holds every document, in an order, for every query. */
function isOrdinary({ key, options }: IndexUse): boolean {
  const isInOrder = Object.entries(key).every(([name, kind]) => typeof kind !== 'string' && !name.includes('$**'))
  return (
    isInOrder && options.partialFilterExpression === undefined && options.sparse !== true && options.hidden !== true
  )
}

function isBeginning(key: IndexUse['key'], other: IndexUse['key']): boolean {
  const [fields, longer] = [Object.entries(key), Object.entries(other)]
  return (
    fields.length < longer.length &&
    fields.every(([name, direction], at) => longer[at]?.[0] === name && Number(longer[at]?.[1]) === Number(direction))
  )
}

function aboutOf(index: IndexUse, declaredFor: DeclaredFor) {
  const { collection, name, key, options, sizeBytes } = index
  const { hidden: _, ...rebuilt } = options
  return {
    collection,
    index: name,
    sizeBytes,
    declaredFor: declaredFor(index),
    undo: `createIndex(${JSON.stringify(key)}, ${JSON.stringify({ name, ...rebuilt })})`,
  }
}
