import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { CreateIndexesOptions, Document, DropIndexesOptions } from 'mongodb'
import type { Database } from './database.js'
import { type EntityDescription, type IndexDefinition, indexName, type TimeSeriesOptions } from './entity.js'
import { ConflictError, DatabaseError } from './errors.js'
import { serverErrorCode, translateError } from './translate-error.js'

export interface CollectionReport {
  readonly collection: string
  /** A `missing` collection is created, what is `different` is set right; a dry run only says so. */
  readonly state: 'same' | 'missing' | 'different'
  readonly validator: 'same' | 'missing' | 'different' | 'none'
  readonly timeSeries: 'same' | 'missing' | 'different' | 'none'
  readonly indexes: {
    readonly missing: readonly string[]
    readonly different: readonly string[]
    /** Indexes that the entity does not declare; they are left alone. */
    readonly extra: readonly string[]
  }
}

export interface SetupReport {
  readonly dryRun: boolean
  /** Whether the database was as declared before this call. */
  readonly isComplete: boolean
  readonly collections: readonly CollectionReport[]
}

const duplicateKey = 11000
const namespaceExists = 48
const indexNotFound = 27
/** Another process is at the same collection just now. */
const inProgress = new Set([112, 117, 246, 276])
const attempts = 20
/** An index of the collection is being built, by another process: that may take its time. */
const indexBuildInProgress = 12587
const longestPauseMs = 1_000
/** Building an index may last longer than any reply. The driver knows the option for a single operation too, if not for `command()`. */
const withoutSocketTimeout: CreateIndexesOptions & DropIndexesOptions & { readonly socketTimeoutMS: number } = {
  socketTimeoutMS: 0,
}

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
    for (const entity of entities) {
      const report = await compare(database, entity)
      collections.push(report)
      if (!dryRun && report.state !== 'same') await bringAbout(database, entity, report)
    }
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
  const isStrict = validationLevel === 'strict' && validationAction === 'error'
  return isStrict && JSON.stringify(validator) === JSON.stringify(entity.validator) ? 'same' : 'different'
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

async function compareIndexes(database: Database, entity: EntityDescription): Promise<CollectionReport['indexes']> {
  const { missing, different, extra } = await diffIndexes(database, entity)
  return { missing: missing.map(indexName), different: different.map(({ name }) => name), extra }
}

interface IndexDifferences {
  readonly missing: readonly IndexDefinition[]
  /** Under the name that the index has now. */
  readonly different: readonly { readonly name: string; readonly found: Document; readonly wanted: IndexDefinition }[]
  readonly extra: readonly string[]
}

async function diffIndexes(database: Database, entity: EntityDescription): Promise<IndexDifferences> {
  const existing = await database.native.collection<Document>(entity.collection).listIndexes().toArray()
  const missing: IndexDefinition[] = []
  const different: { name: string; found: Document; wanted: IndexDefinition }[] = []
  const declared = new Set<unknown>(['_id_'])
  for (const wanted of entity.indexes) {
    // A host may have had an index on the same fields under another name.
    const found =
      existing.find(({ name }) => name === indexName(wanted)) ?? existing.find((index) => hasKeyOf(index, wanted))
    if (found === undefined) missing.push(wanted)
    else if (fingerprint(found) !== fingerprint(wanted)) different.push({ name: String(found.name), found, wanted })
    declared.add(found?.name)
  }
  const extra = existing.map(({ name }) => String(name)).filter((name) => !declared.has(name))
  return { missing, different, extra }
}

function hasKeyOf(index: Document, { key }: IndexDefinition): boolean {
  return JSON.stringify(keyOf(index.key, index.weights)) === JSON.stringify(keyOf(key, undefined))
}

function fingerprint(index: Document | IndexDefinition): string {
  const { key, weights, unique, expireAfterSeconds, partialFilterExpression } = index as Document
  return JSON.stringify([
    keyOf(key, weights),
    unique === true,
    expireAfterSeconds ?? null,
    partialFilterExpression ?? null,
  ])
}

/** The key as it was declared: of a text index the server keeps the fields as weights, in an order of its own. */
function keyOf(key: Document, weights: Document | undefined): unknown {
  const entries = Object.entries(key).filter(([field]) => field !== '_fts' && field !== '_ftsx')
  const texts = Object.keys(weights ?? {}).map((field) => [field, 'text'])
  const all = [...entries, ...texts]
  return all.some(([, kind]) => kind === 'text') ? all.sort() : all
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
    ...(entity.validator ? { validator: entity.validator } : {}),
    ...(entity.timeSeries ? { timeseries } : {}),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
  }
  return insist(database, () => database.native.command({ create: entity.collection, ...options }), namespaceExists)
}

async function setValidator(database: Database, { collection, validator }: EntityDescription): Promise<void> {
  const strict = { validationLevel: 'strict', validationAction: 'error' }
  await insist(database, () => database.native.command({ collMod: collection, validator, ...strict }))
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

async function buildIndexes(database: Database, entity: EntityDescription): Promise<void> {
  const collection = database.native.collection(entity.collection)
  const { missing, different } = await diffIndexes(database, entity)
  const rebuilt: IndexDefinition[] = []
  for (const { name, found, wanted } of different) {
    if (differsInExpiryOnly(found, wanted)) {
      const { expireAfterSeconds } = wanted
      await insist(database, () =>
        database.native.command({ collMod: entity.collection, index: { name, expireAfterSeconds } }),
      )
      continue
    }
    await insist(database, () => collection.dropIndex(name, withoutSocketTimeout), indexNotFound)
    rebuilt.push(wanted)
  }
  const wanted = [...missing, ...rebuilt]
  if (wanted.length === 0) return
  const indexes = wanted.map(({ serves, key, ...options }) => ({
    ...options,
    key: { ...key },
    name: indexName({ key }),
  }))
  try {
    await insist(database, () => collection.createIndexes(indexes, withoutSocketTimeout))
  } catch (error) {
    throw serverErrorCode(error) === duplicateKey ? notUnique(entity, error) : error
  }
}

/** The one difference that can be set right without building the index anew. */
function differsInExpiryOnly(found: Document, wanted: IndexDefinition): boolean {
  const { expireAfterSeconds } = wanted
  if (typeof found.expireAfterSeconds !== 'number' || expireAfterSeconds === undefined) return false
  return fingerprint({ ...found, expireAfterSeconds }) === fingerprint(wanted)
}

function notUnique({ collection }: EntityDescription, error: unknown): ConflictError {
  const fields = Object.keys((error as { keyPattern?: Document }).keyPattern ?? {})
  return new ConflictError(
    'CONFLICT',
    `The unique index of ${collection} on ${fields.join(', ')} cannot be built: there are documents that agree in it`,
    { fields },
    { cause: translateError(error) },
  )
}

/** Runs a command until no other process is in its way. @returns false if the error came that means "done already". */
async function insist(database: Database, command: () => Promise<unknown>, doneAlready?: number): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      database.requireOpen()
      await command()
      return true
    } catch (error) {
      const code = serverErrorCode(error)
      if (code === undefined) throw error
      if (code === doneAlready) return false
      const isWorthWaiting = code === indexBuildInProgress || (attempt < attempts && inProgress.has(code))
      if (!isWorthWaiting) throw error
      await sleep(Math.min(50 * attempt, longestPauseMs) * Math.random())
    }
  }
}
