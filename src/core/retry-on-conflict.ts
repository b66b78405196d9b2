import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from './database.js'
import { ConflictError, DatabaseError } from './errors.js'

/** What was read is no longer so: another process has written meanwhile. Nothing was written. */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError'
}

const firstPauseMs = 5
const longestPauseMs = 1_000
const forMs = 120_000
const attemptsToCreate = 5

/**
 * Does work that throws {@link StaleReadError} again, from its start, while other processes are faster: for two minutes. In a
 * transaction that the caller has begun it is done once, for what that reads stays as it was.
 * @throws DatabaseError `CONTENTION`, retryable, if other processes were faster all the time.
 */
export async function retryStale<Result>(database: Database, work: () => Promise<Result>): Promise<Result> {
  const deadlineMs = performance.now() + forMs
  try {
    return await retry(database, work, (error) => error instanceof StaleReadError && performance.now() < deadlineMs)
  } catch (error) {
    if (!(error instanceof StaleReadError)) throw error
    const message = 'Other processes have changed what was read, again and again: nothing was written, do it again'
    throw new DatabaseError('CONTENTION', message, { retryable: true, cause: error })
  }
}

/**
 * Does work again that creates a document where it finds none: another process may have created it meanwhile, and then it is
 * found. A value that is taken by another document stays taken, so this gives up after a few times.
 */
export function retryCreation<Result>(database: Database, work: () => Promise<Result>): Promise<Result> {
  return retry(database, work, (error, attempt) => {
    return error instanceof ConflictError && error.code === 'CONFLICT' && attempt < attemptsToCreate
  })
}

async function retry<Result>(
  database: Database,
  work: () => Promise<Result>,
  isWorthIt: (error: unknown, attempt: number) => boolean,
): Promise<Result> {
  const isJoined = database.transactions.session !== undefined
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (isJoined || !isWorthIt(error, attempt)) throw error
    }
    await sleep(Math.random() * Math.min(firstPauseMs * 2 ** attempt, longestPauseMs))
  }
}
