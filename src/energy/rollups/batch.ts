import type { ObjectId } from 'mongodb'
import type { Places } from '../places.js'
import { addTally, type DayFields, type DayTotals, dayFields, tallyOf } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import { MonthTally, monthFields, monthTallyOf } from './month-document.js'
import {
  type CursorChange,
  type DayChange,
  type DeviceDay,
  type DeviceMonth,
  dayKey,
  type MonthChange,
  monthKey,
  type RollUpBatch,
  type RollUpStore,
} from './rollup-store.js'
import type { DayTally } from './slot-tally.js'

type TotalsChange = DocumentChange<DayTotals, DayTotals>

/** What the changes make of the documents that are there. The places of their devices are loaded. */
export async function batchOf(
  store: Pick<RollUpStore, 'days' | 'months'>,
  places: Pick<Places, 'of'>,
  changes: readonly DayTally[],
  cursors: readonly CursorChange[],
): Promise<RollUpBatch> {
  const filled = changes.filter(isFilled)
  const known = await store.days(filled.map(dayOf))
  const days = filled.map((change): DayChange => {
    const before = known.get(dayKey(dayOf(change)))
    const tally = before === undefined ? emptyLike(change) : tallyOf(before)
    addTally(tally, change)
    const after = dayFields(tally, places.of(change.deviceId, change.classroom))
    return { before, after: before && after ? cutAs(before, after) : after }
  })
  return { cursors, days, months: await monthsOf(store, places, days) }
}

/** The slots that were there before are cut as they were: the re-costing, which is still to come if prices have changed, is to see it. */
function cutAs({ price_cuts_ms }: DayTotals, { price_cuts_ms: now, ...after }: DayFields): DayFields {
  return price_cuts_ms === undefined ? after : { ...after, price_cuts_ms }
}

/** The months of the days, less what those were and with what they become. */
export async function monthsOf(
  store: Pick<RollUpStore, 'months'>,
  places: Pick<Places, 'of'>,
  days: readonly TotalsChange[],
): Promise<MonthChange[]> {
  const byMonth = new Map<string, { readonly month: DeviceMonth; readonly days: TotalsChange[] }>()
  for (const change of days) {
    const month = monthOf(change)
    if (month === undefined) continue
    const known = byMonth.get(monthKey(month)) ?? { month, days: [] }
    known.days.push(change)
    byMonth.set(monthKey(month), known)
  }
  const stored = await store.months([...byMonth.values()].map(({ month }) => month))
  return [...byMonth].map(([key, { month, days: changed }]) => {
    const before = stored.get(key)
    const place = places.of(month.deviceId, month.classroom)
    const tally =
      before === undefined ? new MonthTally(month.deviceId, month.classroom, month.month) : monthTallyOf(before)
    for (const day of changed) tally.replaceDay(day, place)
    return { before, after: monthFields(tally, place) }
  })
}

function monthOf({ before, after }: TotalsChange): DeviceMonth | undefined {
  const day = after ?? before
  if (day === undefined) return undefined
  return { deviceId: day.device_id, classroom: day.classroom, month: day.date_string.slice(0, 7) }
}

function dayOf({ deviceId, classroom, day }: DayTally): DeviceDay {
  return { deviceId, classroom, date: day.date }
}

export function emptyLike({ deviceId, classroom, day }: DayTally): DayTally {
  return { deviceId, classroom, day, switches: new Map() }
}

function isFilled({ switches }: DayTally): boolean {
  for (const { slots, adjustedCost } of switches.values()) {
    if (adjustedCost !== 0n) return true
    for (const numbers of slots.values()) if (!numbers.isEmpty) return true
  }
  return false
}

/** The devices of the tallies, each once. */
export function devicesOf(tallies: Iterable<DayTally>): ObjectId[] {
  return [...new Map([...tallies].map(({ deviceId }) => [deviceId.toHexString(), deviceId])).values()]
}
