import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { Lease } from '../../core/lease.js'

const leaseDurationMs = 30_000
const longestWaitMs = 60_000

/**
 * Does work on the log that only one process at a time may do, under a lease that is renewed meanwhile. What it writes it
 * writes under the lease's guard.
 * @throws DatabaseError `LEASE_LOST` if others hold the lease for a minute, or take it over.
 */
export async function withLogLease<Result>(
  database: Database,
  leases: string,
  work: (lease: Lease) => Promise<Result>,
): Promise<Result> {
  const lease = new Lease(database, leases, { name: 'ledger:log', durationMs: leaseDurationMs })
  await take(database, lease)
  const renewal = setInterval(() => void lease.acquire().catch(() => undefined), leaseDurationMs / 3)
  try {
    return await work(lease)
  } finally {
    clearInterval(renewal)
    await lease.release()
  }
}

async function take(database: Database, lease: Lease): Promise<void> {
  const deadlineMs = performance.now() + longestWaitMs
  for (let pauseMs = 20; !(await lease.acquire()); pauseMs = Math.min(2 * pauseMs, 1000)) {
    database.requireOpen()
    if (performance.now() > deadlineMs)
      throw new DatabaseError('LEASE_LOST', 'Another process has been at work on the log for a minute')
    await sleep(pauseMs)
  }
}
