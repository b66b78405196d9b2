import type { ObjectId } from 'mongodb'
import type { EntityDescription } from '../entity.js'
import { toObjectId } from '../fields.js'
import { isRecord } from '../is-record.js'
import type { Changes } from './changes.js'
import { refused } from './data.js'

const maximumBatch = 10_000

export type BulkOperation<Stored, Input> =
  | { readonly create: Input }
  | { readonly update: ObjectId | string; readonly changes: Changes<Stored, Input>; readonly version?: number }
  | { readonly delete: ObjectId | string; readonly version?: number }

export interface BulkResult {
  readonly created: ObjectId[]
  readonly updated: number
  readonly deleted: number
}

export function requireBatch(entity: EntityDescription, items: readonly unknown[]): void {
  if (Array.isArray(items) && items.length <= maximumBatch) return
  throw refused(entity.name, '', `expected a list of at most ${maximumBatch}`, items)
}

export function requireOperations(entity: EntityDescription, operations: readonly unknown[]): void {
  const kinds = ['create', 'update', 'delete'] as const
  const odd = operations.findIndex(
    (operation) => !isRecord(operation) || kinds.filter((kind) => operation[kind] !== undefined).length !== 1,
  )
  if (odd !== -1) throw refused(entity.name, String(odd), `expected one of ${kinds.join(', ')}`, operations[odd])
}

export function targetOf(
  operation: { readonly update: ObjectId | string } | { readonly delete: ObjectId | string },
): ObjectId {
  return toObjectId('update' in operation ? operation.update : operation.delete)
}
