import type { Document } from 'mongodb'
import type { Rooms } from '../rooms.js'
import type { LegacyLedger } from './legacy-ledger.js'
import { isUnusable, type LegacyRecord, readLegacyRecord } from './legacy-record.js'

/** Until when records of each switch of a device are in the ledger, epoch milliseconds, by the ids of the switches. */
export type SwitchEnds = Readonly<Record<string, number>>

/** Choice: what becomes of records. */
export interface Choice {
  /** Those that are to be appended; some of them may be there already. */
  readonly chosen: readonly LegacyRecord[]
  readonly ends: SwitchEnds
}

export const overlapping = 'it overlaps another record of its switch'
export const coveredByEntries = 'the ledger has entries of its switch from other sources of that time or before it'

/**
 * Chooses the records of one device that become entries, in the order of time: each energy is counted once. What is in the
 * ledger already stays; of two records that overlap the one that starts first counts, and from the first entry of another
 * source on none does.
 */
export async function choose(
  documents: readonly Document[],
  before: SwitchEnds,
  rooms: Rooms,
  ledger: LegacyLedger,
): Promise<Choice> {
  const records = documents.flatMap((document) => {
    const record = readLegacyRecord(document, rooms)
    return isUnusable(record) ? [] : [record]
  })
  const stored = await ledger.idsOfStored(records)
  const chosen: LegacyRecord[] = []
  const ends: Record<string, number> = { ...before }
  for (const record of records) {
    const key = record.switchId.toHexString()
    if (!stored.has(record.id)) {
      const { othersFromMs } = await ledger.of(record.switchId)
      if (record.endMs >= othersFromMs || record.startMs < (ends[key] ?? Number.NEGATIVE_INFINITY)) continue
      if (await ledger.isCrossed(record)) continue
    }
    ends[key] = Math.max(record.endMs, ends[key] ?? record.endMs)
    chosen.push(record)
  }
  return { chosen, ends }
}
