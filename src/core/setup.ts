import { type Document, MongoServerError, type RunCommandOptions } from 'mongodb'
import type { Database } from './database.js'
import type { EntityDescription, IndexDefinition } from './entity.js'
import { translateError } from './translate-error.js'

export interface CollectionReport {
  readonly collection: string
  /** `missing` collections are created, `different` validators set; a dry run only says so. */
  readonly state: 'same' | 'missing' | 'different'
  readonly validator: 'same' | 'missing' | 'different' | 'none'
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

const namespaceExists = 48
const indexNotFound = 27
/** Another process is at the same collection just now. */
const inProgress = new Set([112, 117, 246, 276])
const attempts = 20
/** The driver takes it for a single command too: building an index may last longer than any reply. */
const withoutSocketTimeout: RunCommandOptions & { readonly socketTimeoutMS: number } = { socketTimeoutMS: 0 }

/**
 * Creates the collections of the entities with their validators, indexes and time-series options, as far as they are not
 * there yet. Any number of processes may do so at once.
 */
export async function setUpCollections(
  database: Database,
  entities: readonly EntityDescription[],
  dryRun: boolean,
): Promise<SetupReport> {
  const collections: CollectionReport[] = []
  try {
    for (const entity of entities) {
      const report = await compare(database, entity)
      collections.push(report)
      if (!dryRun) await bringAbout(database, entity, report)
    }
  } catch (error) {
    throw translateError(error)
  }
  return { dryRun, isComplete: collections.every(({ state }) => state === 'same'), collections }
}

async function compare(database: Database, entity: EntityDescription): Promise<CollectionReport> {
  const [found] = await database.native.listCollections({ name: entity.collection }).toArray()
  if (found === undefined) {
    const missing = entity.indexes.map(indexName)
    return {
      collection: entity.collection,
      state: 'missing',
      validator: entity.validator ? 'missing' : 'none',
      indexes: { missing, different: [], extra: [] },
    }
  }
  const validator = compareValidator(entity, ('options' in found ? found.options : undefined) as Document | undefined)
  const indexes = await compareIndexes(database, entity)
  const isSame =
    (validator === 'same' || validator === 'none') && indexes.missing.length + indexes.different.length === 0
  return { collection: entity.collection, state: isSame ? 'same' : 'different', validator, indexes }
}

function compareValidator(entity: EntityDescription, options: Document | undefined): CollectionReport['validator'] {
  if (entity.validator === undefined) return 'none'
  const validator: unknown = options?.validator
  if (validator === undefined) return 'missing'
  return JSON.stringify(validator) === JSON.stringify(entity.validator) ? 'same' : 'different'
}

async function compareIndexes(database: Database, entity: EntityDescription): Promise<CollectionReport['indexes']> {
  const existing = await database.native.collection(entity.collection).listIndexes().toArray()
  const byName = new Map(existing.map((index) => [String(index.name), index]))
  const missing: string[] = []
  const different: string[] = []
  for (const index of entity.indexes) {
    const name = indexName(index)
    const found = byName.get(name)
    if (found === undefined) missing.push(name)
    else if (fingerprint(found) !== fingerprint(index)) different.push(name)
  }
  const declared = new Set([...entity.indexes.map(indexName), '_id_'])
  const extra = [...byName.keys()].filter((name) => !declared.has(name) && entity.timeSeries === undefined)
  return { missing, different, extra }
}

/** The name that MongoDB itself gives the index. */
export function indexName(index: IndexDefinition): string {
  return Object.entries(index.key).flat().join('_')
}

function fingerprint(index: Document | IndexDefinition): string {
  const { key, unique, expireAfterSeconds, partialFilterExpression } = index as Document
  return JSON.stringify([key, unique === true, expireAfterSeconds ?? null, partialFilterExpression ?? null])
}

async function bringAbout(database: Database, entity: EntityDescription, report: CollectionReport): Promise<void> {
  if (report.state === 'same') return
  if (report.state === 'missing') await createCollection(database, entity)
  if (entity.validator !== undefined && report.validator !== 'same') {
    await insist(() =>
      database.native.command({
        collMod: entity.collection,
        validator: entity.validator,
        validationLevel: 'strict',
        validationAction: 'error',
      }),
    )
  }
  for (const name of report.indexes.different) {
    await insist(() => database.native.command({ dropIndexes: entity.collection, index: name }), indexNotFound)
  }
  const wanted = entity.indexes.filter((index) =>
    [...report.indexes.missing, ...report.indexes.different].includes(indexName(index)),
  )
  if (wanted.length === 0) return
  const indexes = wanted.map(({ serves, ...index }) => ({ ...index, name: indexName(index as IndexDefinition) }))
  await insist(() => database.native.command({ createIndexes: entity.collection, indexes }, withoutSocketTimeout))
}

async function createCollection(database: Database, entity: EntityDescription): Promise<void> {
  const { timeSeries } = entity
  const { expireAfterSeconds, ...timeseries } = timeSeries ?? { timeField: '' }
  const options = {
    ...(entity.validator ? { validator: entity.validator } : {}),
    ...(timeSeries ? { timeseries } : {}),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
  }
  await insist(() => database.native.command({ create: entity.collection, ...options }), namespaceExists)
}

/** Runs a command until no other process is in its way; the error that means "done already" is success. */
async function insist(command: () => Promise<unknown>, doneAlready?: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await command()
      return
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error
      if (error.code === doneAlready) return
      if (attempt >= attempts || !inProgress.has(Number(error.code))) throw error
      await new Promise((resolve) => setTimeout(resolve, 50 * attempt * Math.random()))
    }
  }
}
