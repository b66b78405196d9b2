import { setTimeout as sleep } from 'node:timers/promises'

/** Of the time: the rest is for others. */
const busyShare = 0.7
const longestPauseMs = 2_000

/** Rests after a batch of work that need not be quick: longer the longer it took, which is the longer the slower the majority acknowledges. */
export async function restAfter(busyMs: number, signal?: AbortSignal): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, (busyMs * (1 - busyShare)) / busyShare)
  await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
}
