import type { Fact } from '../../ledger/facts/fact.js'
import type { FactStretch } from '../../ledger/facts/switch-meter.js'
import { type EnergyStretch, splitStretch } from '../../metering/index.js'
import type { Slot, SlotCalendar } from '../tariffs/slot-calendar.js'
import { slotPartsOf } from '../tariffs/slot-parts.js'
import { largestIntervalMws } from './device-consumption.js'

/** A part of a stretch within one civil hour and under one price, with no more energy than an interval may have. */
export interface IntervalPart {
  readonly stretch: EnergyStretch
  readonly since: Fact
  readonly slot: Slot
  /** When its civil hour begins, epoch milliseconds. */
  readonly hourMs: number
}

/** The parts of a stretch in the civil hours that end after an instant, in order. */
export function* partsOf(
  { stretch, since }: FactStretch,
  calendar: SlotCalendar,
  afterMs: number,
): Generator<IntervalPart, void, undefined> {
  for (const { stretch: ofSlot, hour, slot } of slotPartsOf(stretch, calendar)) {
    if (ofSlot.toMs === ofSlot.fromMs || hour.endMs <= afterMs) continue
    for (const part of splitStretch(ofSlot, energyCuts(ofSlot))) {
      yield { stretch: part, since, slot, hourMs: hour.startMs }
    }
  }
}

/** Where to cut a stretch that has more energy than an interval may have. */
function energyCuts({ fromMs, toMs, consumedMws }: EnergyStretch): number[] {
  if (consumedMws <= largestIntervalMws) return []
  const durationMs = toMs - fromMs
  // Twice as many as it takes, as cuts fall on whole milliseconds.
  const count = Math.min(durationMs, Math.ceil((2 * consumedMws) / largestIntervalMws))
  return Array.from({ length: count - 1 }, (_, at) => fromMs + Math.floor((durationMs * (at + 1)) / count))
}
