import { DatabaseError } from '../core/errors.js'

/** The kind of an error, for people's eyes; its text could hold something of a message, and a name that is none could too. */
export function kindOf(error: unknown): string {
  if (error instanceof DatabaseError) return error.code
  return error instanceof Error && /^[A-Za-z]{1,50}$/.test(error.name) ? error.name : 'something'
}
