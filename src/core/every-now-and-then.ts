import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from './database.js'

/**
 * Does the work now and then until it is stopped or the handle is closed. A failure is logged, and the next turn comes.
 * @param complaint What the log says of a failure.
 */
export function everyNowAndThen(
  database: Database,
  everyMs: number,
  work: () => Promise<unknown>,
  complaint: string,
): () => Promise<void> {
  const stopping = new AbortController()
  const signal = AbortSignal.any([stopping.signal, database.closing])
  const run = async () => {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return
      await work().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        database.logger.warn({ reason }, complaint)
      })
    }
  }
  const running = run()
  return async () => {
    stopping.abort()
    await running
  }
}
