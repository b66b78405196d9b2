/** Whole units in equal parts; what cannot be divided goes to the first ones, one unit each. */
export function evenParts(units: bigint, count: number): bigint[] {
  const part = units / BigInt(count)
  const left = units % BigInt(count)
  return Array.from({ length: count }, (_, at) => (BigInt(at) < left ? part + 1n : part))
}

/**
 * What is there, shared among those who want it: all of what they want if it is enough, else in proportion to that, in whole units that add up
 * to what is there (largest remainder, of equal ones the first).
 */
export function sharesOf(available: bigint, wanted: readonly bigint[]): bigint[] {
  const sum = wanted.reduce((total, one) => total + one, 0n)
  if (available >= sum) return [...wanted]
  const shares = wanted.map((one, at) => ({ at, whole: (available * one) / sum, remainder: (available * one) % sum }))
  const parts = shares.map(({ whole }) => whole)
  const left = Number(available - parts.reduce((total, one) => total + one, 0n))
  const favoured = shares.toSorted(
    (a, b) => Number(b.remainder - a.remainder > 0n) - Number(b.remainder - a.remainder < 0n) || a.at - b.at,
  )
  for (const { at, whole } of favoured.slice(0, left)) parts[at] = whole + 1n
  return parts
}
