import type { Document } from 'mongodb'
import type { TimeSeriesOptions } from '../entity-storage.js'
import type { Comparison } from './compare.js'
import type { FoundCollection } from './found-collection.js'
import { anotherName, type SetupObstacle } from './obstacle.js'

/** What is fixed when a collection is created, and is otherwise than declared. */
export function structureObstacles({ entity, found }: Comparison): SetupObstacle[] {
  if (found === undefined) return []
  return problemsOf(found, entity.timeSeries).map((problem) => ({
    collection: entity.collection,
    kind: 'collection',
    problem,
    advice: `Rename it or move its documents to another one, or ${anotherName}`,
  }))
}

function problemsOf({ type, options }: FoundCollection, wanted: TimeSeriesOptions | undefined): string[] {
  if (type === 'view') return ['is a view']
  if (wanted !== undefined && options.timeseries === undefined) return ['is no time series, and one is declared']
  if (wanted === undefined && options.timeseries !== undefined) return ['is a time series, and none is declared']
  return [...fixedOptions(options), ...(wanted === undefined ? [] : timeSeriesProblems(options.timeseries, wanted))]
}

function fixedOptions(options: Document): string[] {
  const { capped, collation, encryptedFields, expireAfterSeconds, timeseries } = options
  return [
    ...(capped === true ? ['is capped, and would lose its oldest documents'] : []),
    ...(collation !== undefined && collation.locale !== 'simple'
      ? [`compares texts by the collation ${JSON.stringify(collation.locale)}, which the declared indexes do not serve`]
      : []),
    ...(encryptedFields === undefined ? [] : ['has fields that clients encrypt']),
    ...(expireAfterSeconds !== undefined && timeseries === undefined
      ? [`lets its documents expire after ${String(expireAfterSeconds)} s`]
      : []),
  ]
}

const granularities = ['seconds', 'minutes', 'hours']

/** Only the granularity, upwards, and the time after which documents go can be changed. */
function timeSeriesProblems(found: Document, wanted: TimeSeriesOptions): string[] {
  const { timeField, metaField, granularity = 'seconds' } = wanted
  const isSame = found.timeField === timeField && found.metaField === metaField
  const isCoarser = granularities.indexOf(found.granularity) > granularities.indexOf(granularity)
  return [
    ...(isSame ? [] : [`is a time series by ${describe(found)}, and ${describe(wanted)} is declared`]),
    ...(found.granularity === undefined ? ['is a time series with buckets of its own'] : []),
    ...(isCoarser ? [`has the granularity ${found.granularity}, which cannot become ${granularity}`] : []),
  ]
}

function describe({ timeField, metaField }: Document): string {
  return `${String(timeField)} with ${metaField === undefined ? 'no meta field' : String(metaField)}`
}
