/** The value below which a share (0 to 1) of the numbers lies, between two of them in proportion; NaN for no numbers. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? below
  return below + (above - below) * (place - Math.floor(place))
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** Of normally distributed numbers the median absolute deviation is the standard deviation divided by this. */
const consistency = 1.4826

/**
 * How many robust standard deviations a value is from the median of others (Iglewicz and Hoaglin 1993).
 * @param leastScale A deviation of this much is at most one: where the others are nearly all alike, little would else be far.
 */
export function robustScore(value: number, others: readonly number[], leastScale: number): number {
  const middle = median(others)
  const deviation = median(others.map((other) => Math.abs(other - middle)))
  const difference = value - middle
  return difference === 0 ? 0 : difference / Math.max(consistency * deviation, leastScale)
}
