import { type Activity, type AutoVolt, where } from '@autovolt/data'
import type { LedgerEntry } from '@autovolt/data/ledger'
import { namesOf, readNames } from './names.js'

const shownEvents = 40
/** A snapshot and the event about the same press are at most this far apart. */
const samePressMs = 5_000

/**
 * What was switched of late: the ledger says what happened, the activity log who did it and why. Where a snapshot came
 * before the event, the entry is the snapshot's and the person is found in the activity beside it.
 */
export async function readEvents(volt: AutoVolt) {
  const newest = { sort: { timestamp: -1 }, limit: shownEvents } as const
  const entries = await volt.ledger.find({ eventType: where.in(['switch_on', 'switch_off'] as const) }, newest)
  const activities = await volt.activities.find({}, newest)
  const names = await readNames(volt)
  const joined = join(entries, activities)
  return joined.slice(0, shownEvents).map(({ entry, activity }) => {
    const switchId = (entry?.switchId ?? activity?.switchId)?.toHexString() ?? ''
    return {
      id: (entry ?? activity)?._id.toHexString(),
      at: timeOf({ entry, activity }),
      on: entry?.powerState ?? activity?.action === 'switch_on',
      switchId,
      names: namesOf(names, switchId),
      cause: activity?.cause ?? null,
      userName: activity?.userName ?? null,
      entry: entry === undefined ? null : entryView(entry),
    }
  })
}

function entryView({ sequence, hash, flags, silentSince }: LedgerEntry) {
  return { sequence, hash: hash.toString('hex'), flags, silentSince: silentSince ?? null }
}

interface Happening {
  readonly entry: LedgerEntry | undefined
  readonly activity: Activity | undefined
}

function join(entries: readonly LedgerEntry[], activities: readonly Activity[]): Happening[] {
  const open = new Set(activities)
  const told = entries.map((entry) => {
    const activity = [...open].find((one) => isAbout(one, entry))
    if (activity !== undefined) open.delete(activity)
    return { entry, activity }
  })
  const alone = [...open].map((activity) => ({ entry: undefined, activity }))
  return [...told, ...alone].toSorted((a, b) => timeOf(b).getTime() - timeOf(a).getTime())
}

function isAbout(activity: Activity, entry: LedgerEntry): boolean {
  if (activity.switchId?.equals(entry.switchId) !== true) return false
  if (activity.idempotencyKey === entry.idempotencyKey) return true
  const apartMs = Math.abs(activity.timestamp.getTime() - entry.timestamp.getTime())
  return entry.flags.includes('snapshot') && activity.action === entry.eventType && apartMs <= samePressMs
}

function timeOf({ entry, activity }: Happening): Date {
  return (entry ?? activity)?.timestamp ?? new Date(0)
}
