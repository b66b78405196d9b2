import type { Collection, ObjectId } from 'mongodb'
import { toObjectId } from '../../core/fields.js'
import type { LedgerEntry } from '../entry/entry.js'
import type { VerifyOptions } from './verify-options.js'

/** The chains that a verification is about; undefined if it is about all. A chain has to be in every scope that is given. */
export async function chainsInScope(
  entries: Collection<LedgerEntry>,
  { switchIds, deviceId, classroom }: Pick<VerifyOptions, 'switchIds' | 'deviceId' | 'classroom'>,
): Promise<ObjectId[] | undefined> {
  const scopes: ObjectId[][] = []
  if (switchIds !== undefined) scopes.push(switchIds.map(toObjectId))
  if (deviceId !== undefined) scopes.push(await chainsOf(entries, toObjectId(deviceId)))
  if (classroom !== undefined) scopes.push(await entries.distinct('switchId', { classroom: toObjectId(classroom) }))
  const [first, ...others] = scopes
  return first?.filter((id) => others.every((scope) => scope.some((other) => other.equals(id))))
}

/** The chains that end with an entry of the device; looks at the last entry of each chain. */
async function chainsOf(entries: Collection<LedgerEntry>, deviceId: ObjectId): Promise<ObjectId[]> {
  const ofDevice = [
    { $sort: { switchId: -1, sequence: -1 } },
    { $group: { _id: '$switchId', deviceId: { $first: '$deviceId' } } },
    { $match: { deviceId } },
  ]
  const heads = await entries.aggregate<{ _id: ObjectId }>(ofDevice).toArray()
  return heads.map(({ _id }) => _id)
}
