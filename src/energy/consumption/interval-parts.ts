import type { Fact } from '../../ledger/facts/fact.js'
import type { FactStretch } from '../../ledger/facts/switch-meter.js'
import { type EnergyStretch, splitStretch } from '../../metering/index.js'
import type { Slot, SlotCalendar } from '../rollups/slot-calendar.js'
import { largestIntervalMws } from './device-consumption.js'

/** A part of a stretch within one civil hour and under one price, with no more energy than an interval may have. */
export interface IntervalPart {
  readonly stretch: EnergyStretch
  readonly since: Fact
  readonly slot: Slot
  /** When its civil hour begins, epoch milliseconds. */
  readonly hourMs: number
}

/**
 * The parts of a stretch in the civil hours that end after an instant, in order. Energy is split by hours first, and then by
 * prices within: what an hour gets does not depend on the tariff.
 */
export function* partsOf(
  { stretch, since }: FactStretch,
  calendar: SlotCalendar,
  afterMs: number,
): Generator<IntervalPart, void, undefined> {
  for (const ofHour of splitStretch(stretch, calendar.hourCuts(stretch.fromMs, stretch.toMs))) {
    if (ofHour.toMs === ofHour.fromMs) continue
    const { slots, startMs, endMs } = calendar.hourAt(ofHour.fromMs)
    if (endMs <= afterMs) continue
    for (const ofPrice of splitStretch(
      ofHour,
      slots.slice(1).map((slot) => slot.startMs),
    )) {
      const slot = calendar.slotAt(ofPrice.fromMs)
      for (const part of splitStretch(ofPrice, energyCuts(ofPrice)))
        yield { stretch: part, since, slot, hourMs: startMs }
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
