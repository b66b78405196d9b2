/** A range of time, epoch milliseconds, without its ends. */
export interface Range {
  readonly afterMs: number
  readonly beforeMs: number
}

/** All of time that a Date can name. */
export const always: Range = { afterMs: -8.64e15, beforeMs: 8.64e15 }

export function isWithin({ afterMs, beforeMs }: Range, atMs: number): boolean {
  return atMs > afterMs && atMs < beforeMs
}

export function beyond(range: Range, reachedMs: number, direction: 1 | -1): Range {
  return direction === 1 ? { ...range, afterMs: reachedMs } : { ...range, beforeMs: reachedMs }
}

/** The part of the range that comes before an instant, seen in the direction. */
export function upTo(range: Range, endMs: number, direction: 1 | -1): Range {
  return direction === 1 ? { ...range, beforeMs: endMs } : { ...range, afterMs: endMs }
}
