import type { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { LedgerEntry } from '../ledger/entry/entry.js'
import type { Ledger } from '../ledger/ledger.js'
import type { TimeRange } from './switch-energy.js'

/** Adjusted: what somebody has added by hand, or taken away. */
export interface Adjusted extends Pick<LedgerEntry, 'switchId' | 'sequence' | 'deviceId' | 'classroom' | 'timestamp'> {
  readonly adjustment: NonNullable<LedgerEntry['adjustment']>
}

/** The adjustments within a time, of all switches or of some. Reads no other entry. */
export async function adjustmentsOf(
  database: Database,
  { entity }: Pick<Ledger, 'entity'>,
  { fromMs, toMs }: TimeRange,
  switchIds?: readonly ObjectId[],
): Promise<Adjusted[]> {
  const filter = {
    eventType: 'manual_adjustment',
    timestamp: { $gte: new Date(fromMs), $lt: new Date(toMs) },
    ...(switchIds && { switchId: { $in: switchIds } }),
  }
  const hint = { eventType: 1, timestamp: 1 } as const
  const found = await database.of<LedgerEntry>(entity).for('adjustments').find(filter, { hint })
  return found.flatMap(({ adjustment, ...entry }) => (adjustment === undefined ? [] : [{ ...entry, adjustment }]))
}
