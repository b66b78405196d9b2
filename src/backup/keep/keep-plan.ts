import { z } from 'zod'

const count = () => z.int().min(0).max(100_000)

/** Which backups are kept. One that any of these asks for is. */
export const keepSchema = z.strictObject({
  /** Those of the last so many days. */
  days: count().default(30),
  /** The newest ones, however old. */
  last: count().default(0),
  /** The newest one of each of the last so many days, weeks (from Monday), months and years that have one; UTC. */
  daily: count().default(0),
  /** How many weeks keep their newest backup. @default 0 */
  weekly: count().default(0),
  /** How many months keep their newest backup. @default 0 */
  monthly: count().default(0),
  /** How many years keep their newest backup. @default 0 */
  yearly: count().default(0),
})
export type KeepOptions = z.input<typeof keepSchema>
export type Keep = z.output<typeof keepSchema>

/** Keep candidate: what is known of a backup that can be kept. */
export interface KeepCandidate {
  readonly id: string
  /** The moment that it is of. */
  readonly instantMs: number
}

/** Why a backup is kept; one for which there is no reason may go. */
export type KeepReasons = ReadonlyMap<string, readonly string[]>

const dayMs = 86_400_000
const daysFromMondayToEpoch = 3

/** @param candidates Of one database. */
export function reasonsToKeep(candidates: readonly KeepCandidate[], keep: Keep, now: Date): KeepReasons {
  const newestFirst = sorted(candidates)
  const reasons = new Map<string, string[]>()
  const add = (id: string, reason: string) => reasons.set(id, [...(reasons.get(id) ?? []), reason])
  for (const { id } of ofLastDays(newestFirst, keep, now)) add(id, `of the last ${keep.days} days`)
  for (const { id } of newestFirst.slice(0, keep.last)) add(id, `one of the last ${keep.last}`)
  for (const [name, count, periodOf] of periods(keep)) {
    const seen = new Set<string>()
    for (const { id, instantMs } of newestFirst) {
      const period = periodOf(new Date(instantMs))
      if (seen.has(period) || seen.size >= count) continue
      seen.add(period)
      add(id, `the newest of the ${name} ${period}`)
    }
  }
  return reasons
}

/** Those that `days` and `last` keep: between them every instant is to be reached, and not only that of each. */
export function recentIds(candidates: readonly KeepCandidate[], keep: Keep, now: Date): ReadonlySet<string> {
  const newestFirst = sorted(candidates)
  const recent = [...ofLastDays(newestFirst, keep, now), ...newestFirst.slice(0, keep.last)]
  return new Set(recent.map(({ id }) => id))
}

/** The newest first. */
function sorted(candidates: readonly KeepCandidate[]): KeepCandidate[] {
  return candidates.toSorted((a, b) => b.instantMs - a.instantMs || (a.id < b.id ? 1 : -1))
}

function ofLastDays(candidates: readonly KeepCandidate[], { days }: Keep, now: Date): KeepCandidate[] {
  return candidates.filter(({ instantMs }) => now.getTime() - instantMs < days * dayMs)
}

type Period = readonly [name: string, count: number, periodOf: (instant: Date) => string]

function periods({ daily, weekly, monthly, yearly }: Keep): readonly Period[] {
  return [
    ['day', daily, (instant) => instant.toISOString().slice(0, 10)],
    ['week of', weekly, mondayOf],
    ['month', monthly, (instant) => instant.toISOString().slice(0, 7)],
    ['year', yearly, (instant) => instant.toISOString().slice(0, 4)],
  ]
}

function mondayOf(instant: Date): string {
  const day = Math.floor(instant.getTime() / dayMs)
  const monday = day - ((day + daysFromMondayToEpoch) % 7)
  return new Date(monday * dayMs).toISOString().slice(0, 10)
}
