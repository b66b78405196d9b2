import type { EntityDescription } from '../entity.js'
import { DatabaseError, NotFoundError } from '../errors.js'
import { refused } from './data.js'

export const missedTarget = 'an id that an operation was for, by the time it was its turn'

/** Thrown inside a bulk write's transaction, so that nothing of it is stored. A transaction around it ends with it as it is. */
export class TargetMissed extends NotFoundError {
  override name = 'NotFoundError'
}

export function requireVersion(version: number): number {
  if (Number.isInteger(version) && version >= 0) return version
  throw refused('The options', 'version', 'expected the __v of a document', version)
}

/** Refuses a call on an entity without soft delete. */
export function requireSoftDelete(entity: EntityDescription): void {
  if (!entity.softDelete) throw new DatabaseError('CONFIGURATION', `A ${entity.name} is not soft-deleted`)
}
