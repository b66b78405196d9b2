import type { Document } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import type { ValidationIssue } from '../errors.js'
import { isRecord } from '../is-record.js'
import { issuesOf } from '../validate.js'
import { atMost, listIds, wholeScan } from './collection-scan.js'
import type { Comparison } from './compare.js'
import { anotherName, type SetupObstacle } from './obstacle.js'

const maximumCount = 1_000
const describedDocuments = 3
const describedIssues = 5

/**
 * The documents that the validator would refuse, if there is one to come. A `moderate` one leaves those alone that are there.
 * Reads the whole collection.
 */
export async function documentObstacles(database: Database, comparison: Comparison): Promise<SetupObstacle[]> {
  const { entity, report, found } = comparison
  const { validator, validationLevel, collection } = entity
  const isKept = report.validator === 'same' || validationLevel === 'moderate'
  if (validator === undefined || found === undefined || isKept) return []
  // A rule may fail, and not only be broken, for a document of another shape: so the shape comes first.
  const [shape, ...rules] = partsOf(validator)
  const refused = (await refusedBy(database, collection, shape)) ?? (await refusedBy(database, collection, ...rules))
  if (refused === undefined) return []
  const { count, samples } = refused
  const described = samples.map((document) => `${listIds([document._id])} (${describe(entity, document)})`)
  return [
    {
      collection,
      kind: 'documents',
      problem: `has documents that do not fit the declared form (${atMost(count, maximumCount)}), such as ${described.join('; ')}`,
      advice: `Bring them into it or move them away, or ${anotherName}`,
    },
  ]
}

function partsOf(validator: Document): Document[] {
  return Array.isArray(validator.$and) ? validator.$and.filter(isRecord) : [validator]
}

interface Refused {
  /** One more than the maximum where there are more. */
  readonly count: number
  readonly samples: readonly Document[]
}

async function refusedBy(
  { native }: Database,
  name: string,
  ...parts: readonly (Document | undefined)[]
): Promise<Refused | undefined> {
  const conditions = parts.filter((part) => part !== undefined)
  if (conditions.length === 0) return undefined
  const collection = native.collection<Document>(name)
  const filter = conditions.length === 1 ? { $nor: conditions } : { $nor: [{ $and: conditions }] }
  const ids = await collection
    .find(filter, { ...wholeScan, projection: { _id: 1 }, limit: maximumCount + 1, batchSize: maximumCount + 1 })
    .toArray()
  if (ids.length === 0) return undefined
  const shown = ids.slice(0, describedDocuments).map(({ _id }) => _id)
  return { count: ids.length, samples: await collection.find({ _id: { $in: shown } }, wholeScan).toArray() }
}

/** What is wrong with it, as far as the schema says; the server may refuse more. */
function describe({ storedSchema, rules }: EntityDescription, document: Document): string {
  const result = storedSchema.safeParse(document)
  const issues: readonly Pick<ValidationIssue, 'path' | 'message'>[] = result.success
    ? rules.filter((rule) => !rule.check(result.data)).map((rule) => rule.explain?.(result.data) ?? rule)
    : issuesOf(result.error, document)
  if (issues.length === 0) return 'is refused by the server'
  const described = issues.slice(0, describedIssues).map(({ path, message }) => `${path}: ${message}`)
  const more = issues.length - described.length
  return more > 0 ? `${described.join(', ')} and ${more} more` : described.join(', ')
}
