import type { ClientSession } from 'mongodb'
import type { Database } from '../../core/database.js'

/** Reads what several queries find as it is at one moment, whatever is written meanwhile. May be called a second time. */
export function atOneMoment<Result>(
  { transactions }: Database,
  read: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  return transactions.run(() => transactions.execute((session) => read(session as ClientSession)))
}
