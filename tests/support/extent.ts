/**
 * Whether the long form was asked for (`npm run test:system -- --full`, or `AUTOVOLT_FULL=1 npm test`): every kill, every
 * row, every pair of a field and a value, rather than a slice.
 */
export const full = process.env.AUTOVOLT_FULL === '1'

/**
 * Every n-th of the items, from the place that the turn says on, so that the turns take all of them, and each of them at
 * least one; in the long form all.
 */
export function slice<Item>(items: readonly Item[], nth: number, turn = 0): readonly Item[] {
  const step = Math.min(nth, items.length)
  return full ? items : items.filter((_, at) => at % step === turn % step)
}

/** The places of a sequence of this length: every n-th, the last, and the edges that are named; in the long form all. */
export function places(length: number, nth: number, ...edges: readonly number[]): number[] {
  const all = Array.from({ length }, (_, at) => at)
  const named = new Set([length - 1, ...edges])
  return full ? all : all.filter((at) => at % nth === 0 || named.has(at))
}

/** How many cases a property is tried on: ten times as many in the long form. */
export function runs(count: number): number {
  return full ? 10 * count : count
}
