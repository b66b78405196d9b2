import type { Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import { translateError } from '../../core/translate-error.js'
import type { EntitiesByKey } from '../run/context.js'
import { MigrationError } from '../run/migration-error.js'
import { areaIdOf } from './market/market-row.js'

/** What of a collection was not made by the adoption of a database, by what the handle calls the collection. */
const foreign: Readonly<Record<string, (from: string) => Document>> = {
  ledger: () => ({ idempotencyKey: { $not: /^adopted:/ } }),
  activities: () => ({ idempotencyKey: { $not: /^adopted:/ } }),
  measurements: () => ({ source: { $ne: 'migration' } }),
  telemetry: () => ({ source: { $ne: 'migration' } }),
  intervals: () => ({ origin: { $ne: 'ledger' } }),
  // One who has seen one would take a ledger that begins anew for a forged one.
  ledgerCheckpoints: () => ({}),
  // What the library made at a first read is empty; what a user has changed has a version.
  userPreferences: () => ({ __v: { $gt: 0 } }),
  marketAreas: (from) => ({ _id: { $ne: areaIdOf(from) } }),
  marketOrders: (from) => ({ area: { $ne: areaIdOf(from) } }),
  marketTransactions: (from) => ({ area: { $ne: areaIdOf(from) } }),
  // An adoption moves no account.
  marketAccounts: () => ({}),
  adoptionExtras: (from) => ({ originDatabase: { $ne: from } }),
  adoptionRejects: (from) => ({ originDatabase: { $ne: from } }),
}
/** Their documents are the adoption's as long as nobody has changed them. */
const changeable = ['users', 'classrooms', 'devices']
/** What an adoption writes, and what is computed from that. What the others are judged by goes last: so a removal that is broken off can be run again. */
const written = [
  'users',
  'userPreferences',
  'classrooms',
  'devices',
  'powerSettings',
  'costVersions',
  'tariffs',
  'recostings',
  'ledger',
  'ledgerWriterQueue',
  'activities',
  'measurements',
  'measurementMarks',
  'registerMarks',
  'telemetry',
  'intervals',
  'intervalRevisions',
  'dailyAggregates',
  'monthlyAggregates',
  'rollUpCursors',
  'analyticsCache',
  'marketTransactions',
  'marketOrders',
  'marketAreas',
  'adoptionRejects',
  'adoptionDays',
  'adoptionExtras',
]

/**
 * Removes what the adoption of a database has written, with all that was computed from it: drops those of our collections, if
 * nothing but the adoption has written to them.
 * @returns the names of the collections that were dropped.
 * @throws MigrationError `NOT_EMPTY` if anything else is in them: nothing was removed then.
 */
export async function removeAdoption(database: Database, entities: EntitiesByKey, from: string): Promise<string[]> {
  database.requireOpen()
  try {
    const found = await database.native.listCollections({}, { nameOnly: true }).toArray()
    const here = new Set(found.map(({ name }) => name))
    const obstacles = await obstaclesOf(database, entities, from)
    if (obstacles.length > 0) {
      throw new MigrationError(
        'NOT_EMPTY',
        `Nothing was removed, for not everything here is of the adoption of ${from}: ${obstacles.join('; ')}. Next: keep what is here, or drop the database if nobody needs it`,
      )
    }
    const names = written.flatMap((key) => entities[key]?.collection ?? []).filter((name) => here.has(name))
    for (const name of names) await database.native.dropCollection(name)
    return names
  } catch (error) {
    throw translateError(error)
  }
}

async function obstaclesOf(database: Database, entities: EntitiesByKey, from: string): Promise<string[]> {
  const extras = entities.adoptionExtras?.collection
  const stages: [string, Document[]][] = [
    ...Object.entries(foreign).map(([key, filterOf]): [string, Document[]] => [key, [{ $match: filterOf(from) }]]),
    ...changeable.map((key): [string, Document[]] => [key, extras === undefined ? [] : changedStages(extras, from)]),
  ]
  const obstacles: string[] = []
  for (const [key, pipeline] of stages) {
    const collection = entities[key]?.collection
    if (collection === undefined) continue
    const [counted] = await database.native
      .collection(collection)
      .aggregate<{ count: number }>([...pipeline, { $count: 'count' }])
      .toArray()
    if (counted !== undefined) obstacles.push(`${counted.count} documents of ${collection}`)
  }
  return obstacles
}

/** Finds documents that the adoption of the database has not written, or that somebody has changed since. */
function changedStages(extras: string, from: string): Document[] {
  const isAsLeft = {
    $and: [{ $eq: ['$$extra.originDatabase', from] }, { $eq: ['$$extra.version', { $ifNull: ['$__v', 0] }] }],
  }
  const asLeft = { $filter: { input: '$extras', as: 'extra', cond: isAsLeft } }
  return [
    { $lookup: { from: extras, localField: '_id', foreignField: 'adoptedId', as: 'extras' } },
    { $match: { $expr: { $eq: [{ $size: asLeft }, 0] } } },
  ]
}
