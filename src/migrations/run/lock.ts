import type { Database } from '../../core/database.js'
import { withHeldLease } from '../../core/held-lease.js'
import type { Lease } from '../../core/lease.js'
import { MigrationError } from './migration-error.js'

const leaseName = 'migrations'

/** Who has the migration lock. */
export interface MigrationLock {
  /** The process, its machine and its user. */
  readonly holder: string
  /** By the server's clock; its holder renews it for as long as it lives. */
  readonly expiresAt: Date
  /** False if its holder has died and nobody has taken it since. */
  readonly isHeld: boolean
}

export interface LockOptions {
  readonly durationMs: number
  readonly waitMs: number
  readonly holder: string
}

/** The lock as it is; null if nobody has it. */
export async function lockOf(database: Database): Promise<MigrationLock | null> {
  const isHeld = { $gt: ['$expiresAt', '$$NOW'] }
  const [found] = await database
    .of(database.leaseEntity)
    .aggregate<{ holder?: string; owner: string; expiresAt: Date; isHeld: boolean }>([
      { $match: { name: leaseName, expiresAt: { $gt: new Date(0) } } },
      { $project: { holder: 1, owner: 1, expiresAt: 1, isHeld } },
    ])
  if (found === undefined) return null
  return { holder: found.holder ?? found.owner, expiresAt: found.expiresAt, isHeld: found.isHeld }
}

/** @throws MigrationError `MIGRATION_LOCKED` if another process has the lock for longer than this waits. */
export async function withLock<Result>(
  database: Database,
  options: LockOptions,
  work: (lease: Lease, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const held = await withHeldLease(database, { name: leaseName, ...options }, work)
  if (held !== null) return held.result
  throw lockedError(await lockOf(database))
}

function lockedError(lock: MigrationLock | null): MigrationError {
  const who = lock === null ? 'another process' : lock.holder
  const until = lock === null ? '' : `; if that has died, the lock is free after ${lock.expiresAt.toISOString()}`
  return new MigrationError('MIGRATION_LOCKED', `Migrations are being run by ${who}: wait for its end${until}`)
}
