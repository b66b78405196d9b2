import type { Document, ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { restAfter } from '../core/rest-after.js'
import { translateError } from '../core/translate-error.js'
import { archiveOf, type CheckedPolicy } from './policy.js'
import type { RetentionArchive } from './retention-archive.js'

export interface Progress {
  archived: number
  deleted: number
}

export interface LettingGo {
  readonly progress: Progress
  readonly guard: () => Promise<void>
  readonly signal: AbortSignal
  /** Where it is written down what was archived where. */
  readonly archives: EntityCollection<RetentionArchive>
}

const batchSize = 1_000
const durable = { writeConcern: { w: 'majority', journal: true } } as const

/**
 * Lets documents go in batches, the oldest first: each is copied to its archive, looked up there, and deleted with its condition
 * repeated. Killed between two of these steps, the next run does the rest: a copy that is there stays as it is. After each
 * batch it rests, longer the slower the majority acknowledges.
 * @returns whether nothing was left.
 */
export async function letGo(
  database: Database,
  policy: CheckedPolicy,
  before: Date,
  { progress, guard, signal, archives }: LettingGo,
): Promise<boolean> {
  const { field, filter, archiveTo } = policy
  const collection = database.native.collection<Document & { _id: ObjectId }>(policy.entity.collection)
  const due = { ...filter, [field]: { $lt: before } }
  try {
    for (;;) {
      if (signal.aborted) return false
      const startedMs = performance.now()
      const found = await collection
        .find(due, { sort: { [field]: 1 }, limit: batchSize, projection: { _id: 1, [field]: 1 } })
        .toArray()
      if (found.length === 0) return true
      await guard()
      const gone =
        archiveTo === undefined ? found.map(({ _id }) => _id) : await archived(database, policy, found, archives)
      if (archiveTo !== undefined) progress.archived += gone.length
      const { deletedCount } = await collection.deleteMany({ ...due, _id: { $in: gone } }, durable)
      progress.deleted += deletedCount
      await restAfter(performance.now() - startedMs, signal)
    }
  } catch (error) {
    throw translateError(error)
  }
}

/** @returns the ids of those that are in their archives now. */
async function archived(
  database: Database,
  { entity, field, archiveTo = '' }: CheckedPolicy,
  found: readonly Document[],
  archives: EntityCollection<RetentionArchive>,
): Promise<ObjectId[]> {
  const byArchive = new Map<string, ObjectId[]>()
  for (const document of found) {
    const name = archiveOf(archiveTo, document[field] as Date)
    byArchive.set(name, [...(byArchive.get(name) ?? []), document._id])
  }
  const arrived: ObjectId[] = []
  for (const [name, ids] of byArchive) {
    // Before the first document is there: who erases a person looks into each archive.
    await archives.updateOne({ archive: name, source: entity.collection }, {}, { upsert: true })
    const merge = { into: name, on: '_id', whenMatched: 'keepExisting', whenNotMatched: 'insert' } as const
    await database.native
      .collection(entity.collection)
      .aggregate([{ $match: { _id: { $in: ids } } }, { $merge: merge }], durable)
      .toArray()
    const there = await database.native
      .collection(name)
      .find({ _id: { $in: ids } }, { projection: { _id: 1 } })
      .toArray()
    arrived.push(...there.map(({ _id }) => _id))
  }
  return arrived
}

/** Copies documents back from an archive and deletes them there. @returns how many came back. */
export async function bringBack(
  database: Database,
  from: string,
  collection: string,
  filter: Document,
): Promise<number> {
  const archive = database.native.collection(from)
  const merge = { into: collection, on: '_id', whenMatched: 'fail', whenNotMatched: 'insert' } as const
  let count = 0
  try {
    for (;;) {
      const ids = (await archive.find(filter, { limit: batchSize, projection: { _id: 1 } }).toArray()).map(
        ({ _id }) => _id,
      )
      if (ids.length === 0) return count
      await archive.aggregate([{ $match: { _id: { $in: ids } } }, { $merge: merge }], durable).toArray()
      const { deletedCount } = await archive.deleteMany({ _id: { $in: ids } }, durable)
      count += deletedCount
    }
  } catch (error) {
    throw translateError(error)
  }
}
