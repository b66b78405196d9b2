import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'

/** As long as a server may take to come back before the run fails. */
const forMs = 120_000
const firstPauseMs = 50
const longestPauseMs = 2_000

/** Write guard: what writes of a migration stand behind. */
export interface WriteGuard {
  /** Runs the work in a transaction that fails unless the lock is still held. @throws DatabaseError `LEASE_LOST`. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>
  /** Looks whether the lock is still held, before what cannot be part of a transaction. @throws DatabaseError `LEASE_LOST`. */
  check(): Promise<void>
}

/** The migration lock as those see it who write under it. */
export class Fence implements WriteGuard {
  readonly #database: Database
  readonly #lease: Lease

  constructor(database: Database, lease: Lease) {
    this.#database = database
    this.#lease = lease
  }

  /** The fencing number. */
  get number(): number {
    return this.#lease.fence
  }

  transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#database.transactions.session !== undefined) return work()
    return this.#database.transactions.run(async () => {
      await this.#lease.guard()
      return work()
    })
  }

  /** As {@link transaction}, again while the server is away. The work must be one that may be repeated when it is done. */
  persist<Result>(work: () => Promise<Result>): Promise<Result> {
    return insisting(() => this.transaction(work))
  }

  check(): Promise<void> {
    return this.#database.transactions.outside(() => this.#lease.guard())
  }
}

/** Nothing is to be written at all, as when it is only planned. */
export const refusingGuard: WriteGuard = {
  transaction: () => Promise.reject(writeRefused()),
  check: () => Promise.reject(writeRefused()),
}

function writeRefused(): DatabaseError {
  return new DatabaseError(
    'CONFIGURATION',
    'A plan changes nothing: `plan` and `count` of a migration only read. Next: take the write out of them',
  )
}

/**
 * Does work again that fails because the server is away, or because nobody knows whether it was committed: until it has failed
 * for two minutes.
 * @param work Is given a function that says that it is getting on, which begins the two minutes anew.
 */
export async function insisting<Result>(work: (isGettingOn: () => void) => Promise<Result>): Promise<Result> {
  let deadlineMs = performance.now() + forMs
  let pauseMs = firstPauseMs
  const isGettingOn = () => {
    deadlineMs = performance.now() + forMs
    pauseMs = firstPauseMs
  }
  for (;;) {
    try {
      return await work(isGettingOn)
    } catch (error) {
      if (!isPassing(error) || performance.now() + pauseMs > deadlineMs) throw error
    }
    await sleep(pauseMs * (0.5 + Math.random() / 2))
    pauseMs = Math.min(2 * pauseMs, longestPauseMs)
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false
  // Of an interrupted commit nobody knows the outcome.
  return error.retryable || (error.code === 'TRANSACTION' && error.cause !== undefined)
}
