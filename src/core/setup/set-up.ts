import type { Document } from 'mongodb'
import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { forEachConcurrently } from '../for-each-concurrently.js'
import { serverCode } from '../server-codes.js'
import { serverErrorCode, translateError } from '../translate-error.js'
import { buildIndexes } from './build-indexes.js'
import { type CollectionReport, type Comparison, compare, compareAgain } from './compare.js'
import { documentObstacles } from './document-obstacles.js'
import { duplicateObstacles } from './duplicate-obstacles.js'
import { findCollections } from './found-collection.js'
import { indexObstacles } from './index-obstacles.js'
import { SetupBlockedError, type SetupObstacle } from './obstacle.js'
import { privilegeObstacles, unreadable } from './privilege-obstacles.js'
import { retryWhileBusy } from './retry-while-busy.js'
import { structureObstacles } from './structure-obstacles.js'

export interface SetupReport {
  readonly dryRun: boolean
  /** Whether the database was as declared before this call. */
  readonly isComplete: boolean
  readonly collections: readonly CollectionReport[]
  /** What is in the way; empty unless it is a dry run, as otherwise it is thrown. */
  readonly obstacles: readonly SetupObstacle[]
}

/** The server syncs its journal for all that come at once. */
const collectionsAtOnce = 6

/**
 * Creates the collections of the entities with their validators, indexes and time-series options, as far as they are not
 * there yet. Any number of processes may do so at once.
 * @throws SetupBlockedError with everything that is in the way; nothing was changed then.
 */
export async function setUpCollections(
  database: Database,
  entities: readonly EntityDescription[],
  dryRun: boolean,
): Promise<SetupReport> {
  database.requireOpen()
  try {
    const comparisons = await compareAll(database, entities)
    const obstacles = await obstaclesOf(database, comparisons)
    if (!dryRun && obstacles.length > 0) throw new SetupBlockedError(obstacles)
    if (!dryRun) {
      const outstanding = comparisons.filter(({ report }) => report.state !== 'same')
      await forEachConcurrently(outstanding, collectionsAtOnce, (comparison) => bringAbout(database, comparison))
    }
    const collections = comparisons.map(({ report }) => report)
    const isComplete = obstacles.length === 0 && collections.every(({ state }) => state === 'same')
    return { dryRun, isComplete, collections, obstacles }
  } catch (error) {
    throw translateError(error)
  }
}

async function compareAll(database: Database, entities: readonly EntityDescription[]): Promise<Comparison[]> {
  const found = await findCollections(
    database,
    entities.map(({ collection }) => collection),
  )
  const comparisons: Comparison[] = []
  await forEachConcurrently(entities.entries(), collectionsAtOnce, async ([at, entity]) => {
    comparisons[at] = await compare(database, entity, found.get(entity.collection))
  })
  return comparisons
}

async function obstaclesOf(database: Database, comparisons: readonly Comparison[]): Promise<SetupObstacle[]> {
  const found: SetupObstacle[][] = []
  await forEachConcurrently(comparisons.entries(), collectionsAtOnce, async ([at, comparison]) => {
    const structure = structureObstacles(comparison)
    // Of another kind of collection neither indexes nor documents can be compared with what is declared.
    found[at] = structure.length > 0 ? structure : await contentObstacles(database, comparison)
  })
  return [...found.flat(), ...(await privilegeObstacles(database, comparisons))]
}

async function contentObstacles(database: Database, comparison: Comparison): Promise<SetupObstacle[]> {
  const obstacles = indexObstacles(comparison)
  try {
    return [
      ...obstacles,
      ...(await documentObstacles(database, comparison)),
      ...(await duplicateObstacles(database, comparison)),
    ]
  } catch (error) {
    if (serverErrorCode(error) !== serverCode.unauthorized) throw error
    return [...obstacles, unreadable(comparison.entity.collection)]
  }
}

async function bringAbout(database: Database, comparison: Comparison): Promise<void> {
  const { entity, report, indexes } = comparison
  if (report.state === 'missing' && !(await createCollection(database, entity))) {
    // Another process was first, perhaps one of another version.
    const meanwhile = await compareAgain(database, entity)
    if (meanwhile.report.state !== 'same') await bringAbout(database, meanwhile)
    return
  }
  if (report.state === 'different') {
    if (report.validator !== 'same' && report.validator !== 'none') await setValidator(database, entity)
    if (report.timeSeries === 'different') await setTimeSeries(database, comparison)
  }
  const { missing, different, superseded } = indexes
  if (missing.length + different.length + superseded.length > 0) await buildIndexes(database, entity)
}

/** @returns whether it was created by this call. */
async function createCollection(database: Database, entity: EntityDescription): Promise<boolean> {
  const { expireAfterSeconds, ...timeseries } = entity.timeSeries ?? { timeField: '' }
  const options = {
    ...(entity.validator ? { validator: entity.validator, validationLevel: entity.validationLevel } : {}),
    ...(entity.timeSeries ? { timeseries } : {}),
    ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
    ...(entity.compressor === undefined
      ? {}
      : { storageEngine: { wiredTiger: { configString: `block_compressor=${entity.compressor}` } } }),
  }
  return retryWhileBusy(
    database,
    () => database.native.command({ create: entity.collection, ...options }),
    serverCode.namespaceExists,
  )
}

async function setValidator(database: Database, entity: EntityDescription): Promise<void> {
  const { collection, validator, validationLevel } = entity
  const enforced = { validator, validationLevel, validationAction: 'error' }
  await retryWhileBusy(database, () => database.native.command({ collMod: collection, ...enforced }))
}

/** What else differs cannot be changed once the collection is there, and is an obstacle. */
async function setTimeSeries(database: Database, { entity, found }: Comparison): Promise<void> {
  const { collection, timeSeries } = entity
  const { granularity = 'seconds', expireAfterSeconds = 'off' } = timeSeries ?? {}
  const stored: Document = found?.options.timeseries ?? {}
  const regrained = stored.granularity === granularity ? {} : { timeseries: { granularity } }
  await retryWhileBusy(database, () =>
    database.native.command({ collMod: collection, expireAfterSeconds, ...regrained }),
  )
}
