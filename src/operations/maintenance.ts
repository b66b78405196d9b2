import { DatabaseError } from '../core/errors.js'
import { type Admin, numberOf } from './admin.js'

export interface ValidationResult {
  readonly collection: string
  readonly isValid: boolean
  readonly documents: number
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
}

/**
 * Has the server check a collection and its indexes. It holds a lock on the collection meanwhile, and reads all of it:
 * seconds for each gigabyte, during which nobody else can use the collection.
 * @throws DatabaseError `NOT_AUTHORIZED` without the right to `validate`.
 */
export async function validateCollection(admin: Admin, collection: string, isFull: boolean): Promise<ValidationResult> {
  const answer = await admin.run({ validate: collection, full: isFull })
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : [])
  return {
    collection,
    isValid: answer.valid === true,
    documents: numberOf(answer.nrecords),
    warnings: texts(answer.warnings),
    errors: texts(answer.errors),
  }
}

export interface CompactResult {
  readonly collection: string
  readonly freedBytes: number
}

/**
 * Gives space that deleted documents have left back to the disk. Run it on a secondary first: on the primary it needs `force`,
 * and slows what others do in the collection. The collection stays usable (MongoDB 4.4 and later).
 * @throws DatabaseError `NOT_AUTHORIZED` without the right to `compact`.
 */
export async function compactCollection(admin: Admin, collection: string, force: boolean): Promise<CompactResult> {
  const hello = await admin.runOnServer({ hello: 1 })
  if (hello.isWritablePrimary === true && !force)
    throw new DatabaseError(
      'CONFIGURATION',
      'This is the primary: connect to a secondary, or say `force: true` for a time when little happens',
    )
  const answer = await admin.run({ compact: collection, ...(force ? { force } : {}) })
  return { collection, freedBytes: numberOf(answer.bytesFreed) }
}
