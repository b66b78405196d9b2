import type { ClientSession } from 'mongodb'

/** The option of an operation. */
export function inSession(session: ClientSession | undefined): { session?: ClientSession } {
  return session === undefined ? {} : { session }
}
