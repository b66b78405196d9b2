import { type EnergyStretch, splitStretch } from '../../metering/index.js'
import type { Slot, SlotCalendar, SlotHour } from './slot-calendar.js'

/** A part of a stretch within one civil hour and under one price. */
export interface SlotPart {
  readonly stretch: EnergyStretch
  readonly hour: SlotHour
  readonly slot: Slot
}

/** The parts of a stretch, in order: first by hours, then by prices within, so that what an hour gets does not depend on the tariff. */
export function* slotPartsOf(stretch: EnergyStretch, calendar: SlotCalendar): Generator<SlotPart, void, undefined> {
  for (const ofHour of splitStretch(stretch, calendar.hourCuts(stretch.fromMs, stretch.toMs))) {
    const hour = calendar.hourAt(ofHour.fromMs)
    const cuts = hour.slots.slice(1).map(({ startMs }) => startMs)
    for (const part of splitStretch(ofHour, cuts)) {
      yield { stretch: part, hour, slot: calendar.slotAt(part.fromMs) }
    }
  }
}
