import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from './database.js'
import { DatabaseError } from './errors.js'
import { Lease, type LeaseOptions } from './lease.js'

export interface HeldLeaseOptions extends LeaseOptions {
  /** How long others may hold the lease before this gives up; 0 tries once. */
  readonly waitMs: number
}

const firstPauseMs = 20
const longestPauseMs = 1_000

/**
 * Does work that one process at a time may do, under a lease that is renewed meanwhile and given up at the end.
 * @param work What it writes, it writes in transactions that begin with `lease.guard()`. The signal is aborted when the
 * lease is lost, or the handle closed.
 * @returns what the work gives, or null if the lease could not be had in time.
 * @throws what the work throws.
 */
export async function withHeldLease<Result>(
  database: Database,
  { waitMs, ...options }: HeldLeaseOptions,
  work: (lease: Lease, signal: AbortSignal) => Promise<Result>,
): Promise<{ readonly result: Result } | null> {
  const lease = new Lease(database, options)
  if (!(await acquiredWithin(database, lease, waitMs))) return null
  const lost = new AbortController()
  const renew = async () => {
    // A renewal that fails is tried again; whether the lease is lost is for the database to say.
    const isHeld = await lease.renew().catch(() => true)
    if (!isHeld) lost.abort(new DatabaseError('LEASE_LOST', `The lease ${lease.name} has gone to another process`))
  }
  const renewal = setInterval(() => void renew(), options.durationMs / 3)
  renewal.unref()
  try {
    return { result: await work(lease, AbortSignal.any([lost.signal, database.closing])) }
  } finally {
    clearInterval(renewal)
    await release(database, lease)
  }
}

/** A lease that cannot be given up ends in its time: that is no reason to lose what the work gave, or why it failed. */
async function release(database: Database, lease: Lease): Promise<void> {
  try {
    await lease.release()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    database.logger.warn({ lease: lease.name, reason }, 'a lease was not given up')
  }
}

async function acquiredWithin(database: Database, lease: Lease, waitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + waitMs
  for (let pauseMs = firstPauseMs; !(await lease.acquire()); pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    database.requireOpen()
    if (performance.now() >= deadlineMs) return false
    // With jitter, so that those who wait do not all ask at once.
    await sleep(pauseMs * (0.5 + Math.random() / 2))
  }
  return true
}
