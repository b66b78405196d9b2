import { DatabaseError } from '../../core/errors.js'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const longestMs = 366 * unitMs.d

/** Milliseconds of `24h`, `90m`, `7d`, `30s` or `500ms`. @throws DatabaseError `CONFIGURATION`. */
export function parseInterval(text: string): number {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const intervalMs = Number(count) * (unitMs[unit as keyof typeof unitMs] ?? Number.NaN)
  if (!(intervalMs > 0) || intervalMs > longestMs)
    throw new DatabaseError('CONFIGURATION', `${JSON.stringify(text)} is no interval: give one such as 24h, 90m or 7d`)
  return intervalMs
}
