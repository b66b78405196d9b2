import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

export interface EventuallyOptions {
  readonly timeoutMs?: number
  readonly everyMs?: number
}

/**
 * Calls `check` until it gives something truthy, and returns that. A check that throws counts as not yet true, so it may
 * hold `expect` calls.
 * @example await eventually('the entry is in the ledger', () => ledger.findOne({ sequence: 7 }))
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  { timeoutMs = 120_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  let last: { readonly value: unknown } | { readonly error: unknown }
  do {
    try {
      const value = await check()
      if (value) return value
      last = { value }
    } catch (error) {
      last = { error }
    }
    await sleep(everyMs)
  } while (performance.now() < deadline)
  const seen = 'error' in last ? `it threw: ${messageOf(last.error)}` : `it gave ${inspect(last.value)}`
  const cause = 'error' in last ? { cause: last.error } : undefined
  throw new Error(`Not within ${timeoutMs} ms: ${what}. When last looked at, ${seen}`, cause)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
