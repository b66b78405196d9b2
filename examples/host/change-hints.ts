import { setTimeout as sleep } from 'node:timers/promises'
import { type AutoVolt, where } from '@autovolt/data'
import type { LiveFeeds } from './live-feeds.js'

const pauseMs = 1_000

/**
 * Watches the database, so that pages show what has changed at once. The feeds are read now and then anyway.
 * @returns how to end it.
 */
export function hintOnChanges(volt: AutoVolt, feeds: LiveFeeds): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const switched = { eventType: where.in(['switch_on', 'switch_off'] as const) }
  const running = [
    hintOn(
      () => volt.ledger.watch(switched, { signal }),
      () => feeds.hint('events'),
      signal,
    ),
    hintOn(
      () => volt.activities.watch({}, { signal }),
      () => feeds.hint('events'),
      signal,
    ),
    hintOn(
      () => volt.devices.watch({}, { signal }),
      () => feeds.hint('devices'),
      signal,
    ),
    hintOn(
      () => volt.commands.watch({}, { signal }),
      () => feeds.hint('commands'),
      signal,
    ),
    hintOn(
      () => volt.schedules.watch({}, { signal }),
      () => feeds.hint('schedules'),
      signal,
    ),
    hintOn(
      () => volt.firmwareInstalls.watch({}, { signal }),
      () => feeds.hint('rollouts'),
      signal,
    ),
    hintOn(
      () => volt.alerts.watch({}, { signal }),
      () => feeds.hint('incidents'),
      signal,
    ),
    hintOn(
      () => volt.cases.watch({}, { signal }),
      () => feeds.hint('incidents'),
      signal,
    ),
    hintOn(
      () => volt.market.orders.watch({}, { signal }),
      () => feeds.hint('neighbourhood'),
      signal,
    ),
    hintOn(
      () => volt.market.transactions.watch({}, { signal }),
      () => feeds.hint('neighbourhood'),
      signal,
    ),
    hintOn(
      () => volt.quarantine.watch({}, { signal }),
      () => feeds.hint('quarantine'),
      signal,
    ),
  ]
  return async () => {
    ending.abort()
    await Promise.all(running)
  }
}

/** Calls back for each change. Those are missed that come while a stream cannot be had. */
export async function hintOn<Change>(
  watch: () => Promise<AsyncIterable<Change>>,
  hint: (change: Change) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const change of await watch()) hint(change)
    } catch {
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
