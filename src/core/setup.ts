import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import type { Database } from './database.js'
import { type EntityDescription, indexName, type TimeSeriesOptions } from './entity.js'
import { DatabaseError } from './errors.js'
import { insist } from './insist.js'
import { serverCode } from './server-codes.js'
import { buildIndexes, compareIndexes, type IndexReport } from './setup-indexes.js'
import { sideBySide } from './side-by-side.js'
import { translateError } from './translate-error.js'

export interface CollectionReport {
  readonly collection: string
  /** A `missing` collection is created, what is `different` is set right; a dry run only says so. */
  readonly state: 'same' | 'missing' | 'different'
  readonly validator: 'same' | 'missing' | 'different' | 'none'
  readonly timeSeries: 'same' | 'missing' | 'different' | 'none'
  readonly indexes: IndexReport
}

export interface SetupReport {
  readonly dryRun: boolean
  /** Whether the database was as declared before this call. */
  readonly isComplete: boolean
  readonly collections: readonly CollectionReport[]
}

/** The server syncs its journal for all that come at once. */
const collectionsAtOnce = 6

/**
 * Creates the collections of the entities with their validators, indexes and time-series options, as far as they are not
 * there yet. Any number of processes may do so at once.
 */
export async function setUpCollections(
  database: Database,
  entities: readonly EntityDescription[],
  dryRun: boolean,
): Promise<SetupReport> {
  database.requireOpen()
  const collections: CollectionReport[] = []
  try {
    await sideBySide(entities.entries(), collectionsAtOnce, async ([at, entity]) => {
      const report = await compare(database, entity)
      collections[at] = report
      if (!dryRun && report.state !== 'same') await bringAbout(database, entity, report)
    })
  } catch (error) {
    throw translateError(error)
  }
  return { dryRun, isComplete: collections.every(({ state }) => state === 'same'), collections }
}

async function compare(database: Database, entity: EntityDescription): Promise<CollectionReport> {
  const { collection } = entity
  const [found] = await database.native.listCollections({ name: collection }).toArray()
  if (found === undefined) {
    const missing = entity.indexes.map(indexName)
    return {
      collection,
      state: 'missing',
      validator: entity.validator ? 'missing' : 'none',
      timeSeries: entity.timeSeries ? 'missing' : 'none',
      indexes: { missing, different: [], extra: [] },
    }
  }
  const options: Document = 'options' in found ? (found.options ?? {}) : {}
  const validator = compareValidator(entity, options)
  const timeSeries = compareTimeSeries(entity.timeSeries, options)
  const indexes = await compareIndexes(database, entity)
  const isSame =
    [validator, timeSeries].every((part) => part === 'same' || part === 'none') &&
    indexes.missing.length + indexes.different.length === 0
  return { collection, state: isSame ? 'same' : 'different', validator, timeSeries, indexes }
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

async function bringAbout(database: Database, entity: EntityDescription, report: CollectionReport): Promise<void> {
  if (report.state === 'missing' && !(await createCollection(database, entity))) {
    // Another process was first, perhaps one of another version.
    const meanwhile = await compare(database, entity)
    if (meanwhile.state !== 'same') await bringAbout(database, entity, meanwhile)
    return
  }
  if (report.state === 'different') {
    if (report.validator !== 'same' && report.validator !== 'none') await setValidator(database, entity)
    if (report.timeSeries === 'different') await setTimeSeries(database, entity)
  }
  if (report.indexes.missing.length + report.indexes.different.length > 0) await buildIndexes(database, entity)
}

/** @returns whether it was created by this call. */
async function createCollection(database: Database, entity: EntityDescription): Promise<boolean> {
  const { expireAfterSeconds, ...timeseries } = entity.timeSeries ?? { timeField: '' }
  const options = {
    ...(entity.validator ? { validator: entity.validator, validationLevel: entity.validationLevel } : {}),
    ...(entity.timeSeries ? { timeseries } : {}),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
  }
  return insist(
    database,
    () => database.native.command({ create: entity.collection, ...options }),
    serverCode.namespaceExists,
  )
}

async function setValidator(database: Database, entity: EntityDescription): Promise<void> {
  const { collection, validator, validationLevel } = entity
  const enforced = { validator, validationLevel, validationAction: 'error' }
  await insist(database, () => database.native.command({ collMod: collection, ...enforced }))
}

/** Only the granularity, upwards, and the time after which documents go can be changed once the collection is there. */
async function setTimeSeries(database: Database, { collection, timeSeries }: EntityDescription): Promise<void> {
  if (timeSeries === undefined) throw notConvertible(collection)
  const [found] = await database.native.listCollections({ name: collection }).toArray()
  const options: Document = found !== undefined && 'options' in found ? (found.options ?? {}) : {}
  const { timeField, metaField, granularity = 'seconds', expireAfterSeconds = 'off' } = timeSeries
  const { timeseries } = options
  if (timeseries?.timeField !== timeField || timeseries?.metaField !== metaField) throw notConvertible(collection)
  const regrained = timeseries?.granularity === granularity ? {} : { timeseries: { granularity } }
  await insist(database, () => database.native.command({ collMod: collection, expireAfterSeconds, ...regrained }))
}

function notConvertible(collection: string): DatabaseError {
  return new DatabaseError(
    'CONFIGURATION',
    `The collection ${collection} cannot be changed into what is declared: time field and meta field are fixed when a time-series collection is created`,
  )
}
