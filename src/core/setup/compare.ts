import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import type { TimeSeriesOptions } from '../entity-storage.js'
import { type FoundCollection, findCollections } from './found-collection.js'
import { diffIndexes, type IndexDifferences, type IndexReport, reportOf } from './index-differences.js'

export interface CollectionReport {
  readonly collection: string
  /** A `missing` collection is created, what is `different` is set right; a dry run only says so. */
  readonly state: 'same' | 'missing' | 'different'
  readonly validator: 'same' | 'missing' | 'different' | 'none'
  readonly timeSeries: 'same' | 'missing' | 'different' | 'none'
  readonly indexes: IndexReport
}

/** Comparison: what was declared beside what is there. */
export interface Comparison {
  readonly entity: EntityDescription
  readonly report: CollectionReport
  /** Undefined where there is no such collection. */
  readonly found: FoundCollection | undefined
  readonly indexes: IndexDifferences
}

/** @param found What the server says of the collection; undefined if there is none. */
export async function compare(
  database: Database,
  entity: EntityDescription,
  found: FoundCollection | undefined,
): Promise<Comparison> {
  const { collection } = entity
  if (found === undefined) {
    const indexes = allMissing(entity)
    const report: CollectionReport = {
      collection,
      state: 'missing',
      validator: entity.validator ? 'missing' : 'none',
      timeSeries: entity.timeSeries ? 'missing' : 'none',
      indexes: reportOf(indexes),
    }
    return { entity, report, found, indexes }
  }
  const validator = compareValidator(entity, found.options)
  const timeSeries = compareTimeSeries(entity.timeSeries, found.options)
  const indexes = found.type === 'view' ? allMissing(entity) : await diffIndexes(database, entity)
  const { missing, different, superseded } = indexes
  const isSame =
    [validator, timeSeries].every((part) => part === 'same' || part === 'none') &&
    missing.length + different.length + superseded.length === 0
  const state = isSame ? 'same' : 'different'
  return { entity, found, indexes, report: { collection, state, validator, timeSeries, indexes: reportOf(indexes) } }
}

/** As {@link compare}, asking the server afresh. */
export async function compareAgain(database: Database, entity: EntityDescription): Promise<Comparison> {
  const found = await findCollections(database, [entity.collection])
  return compare(database, entity, found.get(entity.collection))
}

function allMissing({ indexes }: EntityDescription): IndexDifferences {
  return { missing: indexes, different: [], superseded: [], extra: [] }
}

function compareValidator(entity: EntityDescription, options: Document): CollectionReport['validator'] {
  if (entity.validator === undefined) return 'none'
  const { validator, validationLevel = 'strict', validationAction = 'error' } = options
  if (validator === undefined) return 'missing'
  const isEnforced = validationLevel === entity.validationLevel && validationAction === 'error'
  return isEnforced && JSON.stringify(validator) === JSON.stringify(entity.validator) ? 'same' : 'different'
}

function compareTimeSeries(wanted: TimeSeriesOptions | undefined, options: Document): CollectionReport['timeSeries'] {
  const found = options.timeseries as Document | undefined
  if (wanted === undefined) return found === undefined ? 'none' : 'different'
  const { timeField, metaField, granularity = 'seconds', expireAfterSeconds } = wanted
  const isSame =
    isDeepStrictEqual([found?.timeField, found?.metaField, found?.granularity], [timeField, metaField, granularity]) &&
    options.expireAfterSeconds === expireAfterSeconds
  return isSame ? 'same' : 'different'
}
