import type { ObjectId } from 'mongodb'
import type { PricingContexts } from '../tariffs/pricing-context.js'
import { addedTo } from './day-cuts.js'
import { addTally, type DayTotals, dayFields, tallyOf } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import { MonthTally, monthFields, monthTallyOf } from './month-document.js'
import type { CursorChange } from './roll-up-cursor.js'
import {
  type DayChange,
  type DeviceDay,
  type DeviceMonth,
  dayKey,
  type MonthChange,
  monthKey,
  type RollUpBatch,
  type RollUpStore,
} from './roll-up-store.js'
import type { DayTally } from './slot-tally.js'

type TotalsChange = DocumentChange<DayTotals, DayTotals>

/** What the changes make of the documents that are there. The contexts of their devices are loaded. */
export async function rollUpBatch(
  store: Pick<RollUpStore, 'days' | 'months'>,
  contexts: Pick<PricingContexts, 'of'>,
  changes: readonly DayTally[],
  cursors: readonly CursorChange[],
): Promise<RollUpBatch> {
  const filled = changes.filter(isFilled)
  const known = await store.days(filled.map(dayOf))
  const days = filled.map((change): DayChange => {
    const before = known.get(dayKey(dayOf(change)))
    const tally = before === undefined ? emptyLike(change) : tallyOf(before)
    addTally(tally, change)
    const context = contexts.of(change.deviceId, change.classroom)
    const after = dayFields(tally, context)
    return { before, after: before && after ? addedTo(before, after, context) : after }
  })
  return { cursors, days, months: await monthsOf(store, contexts, days) }
}

/** The months of the days, less what those were and with what they become. */
export async function monthsOf(
  store: Pick<RollUpStore, 'months'>,
  contexts: Pick<PricingContexts, 'of'>,
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
    const context = contexts.of(month.deviceId, month.classroom)
    const tally =
      before === undefined ? new MonthTally(month.deviceId, month.classroom, month.month) : monthTallyOf(before)
    for (const day of changed) tally.replaceDay(day, context)
    return { before, after: monthFields(tally, context) }
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
  for (const { slots, adjustedCost, rateCost } of switches.values()) {
    if (adjustedCost !== 0n || !rateCost.isEmpty) return true
    for (const numbers of slots.values()) if (!numbers.isEmpty) return true
  }
  return false
}

/** The devices of the tallies, each once. */
export function devicesOf(tallies: Iterable<DayTally>): ObjectId[] {
  return [...new Map([...tallies].map(({ deviceId }) => [deviceId.toHexString(), deviceId])).values()]
}
