import type { Document } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { coreSchema, schemaAtAnyItem } from '../field-schema.js'
import type { IndexDefinition } from '../index-definition.js'
import { atMost, listIds, wholeScan } from './collection-scan.js'
import type { Comparison } from './compare.js'
import { anotherName, type SetupObstacle } from './obstacle.js'

const maximumCount = 100
const describedGroups = 3
const describedIds = 3

/** Documents that agree in what a unique index to come would hold. Reads the whole collection for each such index. */
export async function duplicateObstacles(database: Database, comparison: Comparison): Promise<SetupObstacle[]> {
  const { entity, indexes, found } = comparison
  if (found === undefined) return []
  const coming = [...indexes.missing, ...indexes.different.map(({ wanted }) => wanted)]
  const obstacles: SetupObstacle[] = []
  for (const index of coming.filter(({ key, unique }) => unique === true && isPlain(key))) {
    const groups = await duplicatesOf(database, entity, index)
    if (groups.length > 0) obstacles.push(obstacleOf(entity, index, groups))
  }
  return obstacles
}

/** What a text or a place is in an index only the server knows; it says so when such an index is built. */
function isPlain(key: IndexDefinition['key']): boolean {
  return Object.values(key).every((kind) => kind === 1 || kind === -1)
}

/** Groups of documents that agree, as some of their ids each. */
async function duplicatesOf(
  { native }: Database,
  entity: EntityDescription,
  { key, partialFilterExpression = {} }: IndexDefinition,
): Promise<unknown[][]> {
  const fields = Object.keys(key)
  const names = fields.map((_, at) => `key${at}`)
  const listed = names.filter((_, at) => isInList(entity, fields[at] ?? ''))
  const values = Object.fromEntries(names.map((name, at) => [name, `$${fields[at]}`]))
  // In an index an absent value is null.
  const group = Object.fromEntries(names.map((name) => [name, { $ifNull: [`$${name}`, null] }]))
  const pipeline: Document[] = [
    { $match: partialFilterExpression },
    { $project: values },
    ...listed.map((name) => ({ $unwind: { path: `$${name}`, preserveNullAndEmptyArrays: true } })),
    // Within a document the same value may come several times.
    ...(listed.length === 0 ? [] : [{ $group: { _id: { ...group, of: '$_id' } } }, { $replaceWith: ungrouped(names) }]),
    { $group: { _id: group, count: { $sum: 1 }, ids: { $minN: { input: '$_id', n: describedIds } } } },
    { $match: { count: { $gt: 1 } } },
    { $limit: maximumCount + 1 },
  ]
  const options = { ...wholeScan, allowDiskUse: true }
  const groups = await native.collection(entity.collection).aggregate(pipeline, options).toArray()
  return groups.map(({ ids }) => ids as unknown[])
}

function ungrouped(names: readonly string[]): Document {
  return { _id: '$_id.of', ...Object.fromEntries(names.map((name) => [name, `$_id.${name}`])) }
}

/** Whether the path leads into a list: the index then has each item. */
function isInList(entity: EntityDescription, path: string): boolean {
  const names = path.split('.')
  return names.some((_, at) => {
    const schema = schemaAtAnyItem(entity, names.slice(0, at + 1).join('.'))
    return schema !== undefined && coreSchema(schema) instanceof z.ZodArray
  })
}

function obstacleOf({ collection }: EntityDescription, { key }: IndexDefinition, groups: unknown[][]): SetupObstacle {
  const fields = Object.keys(key).join(', ')
  const described = groups.slice(0, describedGroups).map((ids) => `(${listIds(ids)})`)
  return {
    collection,
    kind: 'duplicates',
    problem: `has documents that agree in ${fields}, which has to be unique (groups: ${atMost(groups.length, maximumCount)}), such as ${described.join(' ')}`,
    advice: `Change, move or delete all but one of each, or ${anotherName}`,
  }
}
