import { DatabaseError } from './errors.js'
import { OriginalError } from './redact.js'

/** What a document that is too large for a message is reported as. The driver's buffer ends where no server would take it any more. */
export function overflowOf(error: unknown): DatabaseError | undefined {
  const isOverflow = error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE'
  if (!isOverflow) return undefined
  const cause = new OriginalError(error)
  return new DatabaseError('DATABASE', 'The data cannot be stored: a document may have 16 MB', { cause })
}
