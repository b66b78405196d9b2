import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database.js'
import { serverCode } from '../server-codes.js'
import { serverErrorCode } from '../translate-error.js'

/** Errors that mean: another process is changing the same collection. */
const inProgress = new Set([112, 117, 246, 276])
const attempts = 20
const longestPauseMs = 1_000

/** Repeats a command while other processes are in its way. @returns false if it failed with the code that means "done already". */
export async function retryWhileBusy(
  database: Database,
  command: () => Promise<unknown>,
  doneAlready?: number,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      database.requireOpen()
      await command()
      return true
    } catch (error) {
      const code = serverErrorCode(error)
      if (code === undefined) throw error
      if (code === doneAlready) return false
      // An index that another process builds may take its time.
      const isWorthWaiting = code === serverCode.indexBuildInProgress || (attempt < attempts && inProgress.has(code))
      if (!isWorthWaiting) throw error
      await sleep(Math.min(50 * attempt, longestPauseMs) * Math.random())
    }
  }
}
