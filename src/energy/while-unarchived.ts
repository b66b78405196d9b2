import type { Database } from '../core/database.js'
import { StaleReadError } from '../core/retry-on-conflict.js'
import type { Ledger } from '../ledger/ledger.js'

/**
 * Reads from the ledger.
 * @throws StaleReadError if entries were archived meanwhile: they may be missing in what was read.
 */
export async function whileUnarchived<Result>(
  database: Database,
  ledger: Pick<Ledger, 'archivedSize'>,
  read: () => Promise<Result>,
): Promise<Result> {
  // The caller's transaction sees what was there when it began.
  if (database.transactions.session !== undefined) return read()
  const before = await ledger.archivedSize()
  const result = await read()
  if ((await ledger.archivedSize()) !== before) throw new StaleReadError()
  return result
}
