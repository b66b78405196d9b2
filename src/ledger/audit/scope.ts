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
  if (deviceId !== undefined) scopes.push(await entries.distinct('switchId', { deviceId: toObjectId(deviceId) }))
  if (classroom !== undefined) scopes.push(await entries.distinct('switchId', { classroom: toObjectId(classroom) }))
  const [first, ...others] = scopes
  return first?.filter((id) => others.every((scope) => scope.some((other) => other.equals(id))))
}
