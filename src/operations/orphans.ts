import type { Document, ObjectId } from 'mongodb'
import { DatabaseError } from '../core/errors.js'
import { restAfter } from '../core/rest-after.js'
import { translateError } from '../core/translate-error.js'
import { type Admin, numberOf } from './admin.js'

/** Reference: a field of a collection's documents that holds ids of another one's, alone or in a list. */
export interface Reference {
  readonly collection: string
  readonly field: string
  readonly to: string
}

/** Orphans: documents that refer to one that is not there. */
export interface Orphans extends Reference {
  readonly count: number
  /** The ids of the first ten. */
  readonly samples: readonly unknown[]
}

const shownSamples = 10

/**
 * The documents whose references lead to nothing. A reference that is absent or null is none. Reads each collection once for
 * each of its references, with a look-up by `_id` for each document.
 */
export async function findOrphans(admin: Admin, references: readonly Reference[]): Promise<Orphans[]> {
  const found: Orphans[] = []
  for (const reference of references) {
    const { collection, field, to } = reference
    const [result] = await admin.aggregate(collection, orphanPipeline(field, to))
    const count = numberOf(result?.count)
    if (count > 0) found.push({ collection, field, to, count, samples: (result as Document).samples })
  }
  return found
}

const ofReferring = (field: string): Document => ({ [field]: { $type: 'objectId' } })

/** From the referring documents on: those of which an id leads to nothing, with these ids in `missing`. */
function missingStages(field: string, to: string): Document[] {
  const ids = { from: to, localField: field, foreignField: '_id', as: 'referred', pipeline: [{ $project: { _id: 1 } }] }
  return [
    { $project: { [field]: 1 } },
    // Each id of a list by itself.
    { $unwind: `$${field}` },
    { $lookup: ids },
    { $match: { referred: { $size: 0 } } },
    { $group: { _id: '$_id', missing: { $push: `$${field}` } } },
  ]
}

function orphanPipeline(field: string, to: string): Document[] {
  return [
    { $match: ofReferring(field) },
    ...missingStages(field, to),
    { $group: { _id: null, count: { $sum: 1 }, samples: { $firstN: { input: '$_id', n: shownSamples } } } },
  ]
}

/** What becomes of orphans: the document is deleted, or loses the reference. */
export type OrphanAction = 'delete' | 'unset'

export interface OrphanCleaning {
  readonly action: OrphanAction
  readonly dryRun: boolean
  readonly signal?: AbortSignal | undefined
}

/** What cleaning has found, and changed. */
export interface CleanedOrphans extends Reference {
  readonly orphans: number
  /** 0 in a dry run. */
  readonly changed: number
  /** Whether all documents were looked at. */
  readonly isComplete: boolean
}

const batchSize = 1_000
const durable = { writeConcern: { w: 'majority', journal: true } } as const

/**
 * Deletes the documents of a collection whose reference leads to nothing, or takes the reference from them, in batches in the
 * order of `_id`; it rests after each, longer the slower the majority acknowledges. Killed, the next call does the rest.
 * @throws DatabaseError `CONFIGURATION` for `delete` where the reference is a list: some of its ids may lead somewhere.
 */
export async function cleanOrphans(
  { database }: Admin,
  reference: Reference,
  { action, dryRun, signal }: OrphanCleaning,
): Promise<CleanedOrphans> {
  const { collection: name, field, to } = reference
  const collection = database.native.collection<Document & { _id: ObjectId }>(name)
  const totals = { orphans: 0, changed: 0 }
  let last: unknown
  try {
    const list = await collection.findOne({ [field]: { $type: 'array' } }, { projection: { _id: 1 } })
    if (action === 'delete' && list !== null)
      throw new DatabaseError('CONFIGURATION', `${name}.${field} has lists of ids: use the action 'unset'`)
    for (;;) {
      if (signal?.aborted) return { ...reference, ...totals, isComplete: false }
      const startedMs = performance.now()
      const beyond = last === undefined ? ofReferring(field) : { ...ofReferring(field), _id: { $gt: last } }
      const batch = await collection
        .find(beyond, { sort: { _id: 1 }, limit: batchSize, projection: { _id: 1 } })
        .toArray()
      const end = batch.at(-1)
      if (end === undefined) return { ...reference, ...totals, isComplete: true }
      last = end._id
      const ids = batch.map(({ _id }) => _id)
      const found = await collection
        .aggregate<Orphan>([{ $match: { _id: { $in: ids } } }, ...missingStages(field, to)])
        .toArray()
      totals.orphans += found.length
      if (!dryRun && found.length > 0) {
        const result = await collection.bulkWrite(
          found.map((orphan) => changeOf(orphan, field, action)),
          { ...durable, ordered: false },
        )
        totals.changed += result.deletedCount + result.modifiedCount
      }
      await restAfter(performance.now() - startedMs, signal)
    }
  } catch (error) {
    throw translateError(error)
  }
}

interface Orphan {
  readonly _id: ObjectId
  readonly missing: readonly ObjectId[]
}

/** Of what was given another reference meanwhile nothing is changed. */
function changeOf({ _id, missing }: Orphan, field: string, action: OrphanAction) {
  const filter = { _id, [field]: { $in: [...missing] } }
  if (action === 'delete') return { deleteOne: { filter } }
  const isList = { $isArray: `$${field}` }
  const others = { $filter: { input: `$${field}`, cond: { $not: [{ $in: ['$$this', [...missing]] }] } } }
  const update = [{ $set: { [field]: { $cond: [isList, others, '$$REMOVE'] } } }]
  return { updateOne: { filter, update } }
}
