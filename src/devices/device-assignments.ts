import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreFilter, StoreUpdate } from '../core/collection/store-query.js'
import { type Device, rememberedAssignments } from './device.js'

type Assigned = Pick<Device, '_id' | 'classroom' | 'owner'>
const assigned = { classroom: 1, owner: 1 } as const

/**
 * Does a write that may give devices another classroom or owner, and notes what those had before that have got one. Called in
 * a transaction. What the ledger has recorded stays where it was; what is recorded later belongs to the new place.
 */
export async function withAssignments<Stored extends Device, Result>(
  documents: EntityCollection<Stored>,
  filter: StoreFilter<Stored>,
  until: Date,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = await documents.find<Assigned>(filter, { projection: assigned })
  const result = await work()
  const ids = { _id: { $in: before.map(({ _id }) => _id) } } as StoreFilter<Stored>
  const now = await documents.find<Assigned>(ids, { projection: assigned })
  const known = new Map(now.map((one) => [one._id.toHexString(), one]))
  const writes = before.flatMap(({ _id, classroom, owner }) => {
    const after = known.get(_id.toHexString())
    if (after === undefined || (areSame(classroom, after.classroom) && areSame(owner, after.owner))) return []
    const assignment = { ...(classroom && { classroom }), ...(owner && { owner }), until }
    const push = { assignments: { $each: [assignment], $slice: -rememberedAssignments } }
    return [{ touch: { _id } as StoreFilter<Stored>, by: { $push: push } as StoreUpdate<Stored> }]
  })
  await documents.bulkWrite(writes)
  return result
}

export function areSame(one: ObjectId | undefined, other: ObjectId | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other)
}
