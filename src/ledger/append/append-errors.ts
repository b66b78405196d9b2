import { MongoServerError } from 'mongodb'
import { DatabaseError, ValidationError } from '../../core/errors.js'
import { serverCode } from '../../core/server-codes.js'
import { PartialInsertError } from './insert-command.js'

/** Whether it is the event that cannot become an entry, and not the database that fails. */
export function isAboutEvent(error: unknown): boolean {
  return error instanceof ValidationError || (error instanceof DatabaseError && error.code === 'ARCHIVED')
}

export function isCollision(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === serverCode.duplicateKey
}

/** Whether the collision is about an event that has an entry, not about a place in a chain. */
export function isRepetition(error: unknown): boolean {
  return isCollision(error) && 'idempotencyKey' in Object(error.keyPattern)
}

/** Whether the server's validator refused the first entry that is not stored. */
export function isRefusal(error: unknown): boolean {
  return error instanceof PartialInsertError && error.code === serverCode.documentValidationFailure
}
