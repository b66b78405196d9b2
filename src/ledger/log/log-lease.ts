import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { withHeldLease } from '../../core/held-lease.js'
import type { Lease } from '../../core/lease.js'

const logLease = { name: 'ledger:log', durationMs: 30_000, waitMs: 60_000 }

/**
 * Does work on the log that only one process at a time may do. What it writes it writes under the lease's guard.
 * @throws DatabaseError `LEASE_LOST` if others hold the lease for a minute, or take it over.
 */
export async function withLogLease<Result>(
  database: Database,
  work: (lease: Lease) => Promise<Result>,
): Promise<Result> {
  const done = await withHeldLease(database, logLease, work)
  if (done !== null) return done.result
  throw new DatabaseError('LEASE_LOST', 'Another process has been at work on the log for a minute', { retryable: true })
}
