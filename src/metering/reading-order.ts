/** What decides the place of a reading among others: never its arrival. */
export interface ReadingOrder {
  /** The reading's credible time, epoch milliseconds. */
  atMs: number
  /** The device's boot, a count or an id. Counts are compared as numbers. */
  boot?: string | undefined
  /** The device's sequence number within its boot. */
  sequence?: number | undefined
  /** The digest (SHA-256) of the message that carried the reading, in hexadecimal. */
  digest?: string | undefined
}

/**
 * Orders readings by time, then the device's (boot, sequence), then message digest; what is absent comes first. A total
 * order: it is zero only for readings that agree in all of these.
 */
export function compareReadings(a: ReadingOrder, b: ReadingOrder): number {
  return comparePlaces(a, b) || compareOptional(a.digest, b.digest, compareValues)
}

/** The same without the digest: zero for readings of one message, and for those that only their content distinguishes. */
export function comparePlaces(a: ReadingOrder, b: ReadingOrder): number {
  return (
    compareValues(a.atMs, b.atMs) ||
    compareOptional(a.boot, b.boot, compareBoots) ||
    compareOptional(a.sequence, b.sequence, compareValues)
  )
}

/** Orders two numbers or two strings by their value. */
export function compareValues<T extends number | string>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Orders two values of which either may be absent; an absent one comes first. */
export function compareOptional<T>(a: T | undefined, b: T | undefined, compare: (a: T, b: T) => number): number {
  if (a === undefined) return b === undefined ? 0 : -1
  return b === undefined ? 1 : compare(a, b)
}

// Boot counts come as text: the 10th boot is after the 9th, which plain text order would deny.
function compareBoots(a: string, b: string): number {
  const aCount = bootCount(a)
  const bCount = bootCount(b)
  return (
    compareOptional(bCount, aCount, (y, x) => compareValues(x.length, y.length) || compareValues(x, y)) ||
    compareValues(a, b)
  )
}

function bootCount(boot: string): string | undefined {
  return /^\d+$/.test(boot) ? boot.replace(/^0+/, '') : undefined
}
