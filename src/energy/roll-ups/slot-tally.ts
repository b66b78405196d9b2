import type { ObjectId } from 'mongodb'
import type { Fact } from '../../ledger/facts/fact.js'
import type { FactStretch } from '../../ledger/facts/switch-meter.js'
import { moneyOf } from '../../metering/index.js'
import type { Slot, SlotCalendar, SlotDay } from '../tariffs/slot-calendar.js'
import { type SlotPart, slotPartsOf } from '../tariffs/slot-parts.js'
import { RateCost } from './rate-cost.js'
import { SlotNumbers } from './slot-numbers.js'

/** What is found of a switch in a day: by where each slot begins, ms since the day's start. */
export interface SwitchTally {
  readonly slots: Map<number, SlotNumbers>
  /** What was added to the cost by hand: `Money`. */
  adjustedCost: bigint
  /** What its energy costs by the rates of its entries, without what was added by hand. */
  readonly rateCost: RateCost
}

/** @param rateCost What it has at the rates of its entries so far. */
export function emptySwitchTally(rateCost = new RateCost()): SwitchTally {
  return { slots: new Map(), adjustedCost: 0n, rateCost }
}

/** Day tally: what is found of a device in a civil day of a classroom. */
export interface DayTally {
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  readonly day: SlotDay
  /** By the switch's id in hexadecimal. */
  readonly switches: Map<string, SwitchTally>
}

/** The calendar of a classroom. */
export type CalendarOf = (classroom: ObjectId) => SlotCalendar

type DeviceInClassroom = Pick<Fact, 'deviceId' | 'classroom'>

/** Days that are of interest, `YYYY-MM-DD`, both included. */
export interface DaySpan {
  readonly from: string
  readonly to: string
}

/** Adds up stretches of energy, and takes them away, by device, day and slot. The order does not matter. */
export class SlotTally {
  readonly days = new Map<string, DayTally>()
  readonly #calendarOf: CalendarOf
  readonly #span: DaySpan | undefined
  #last:
    | {
        readonly location: DeviceInClassroom
        readonly switchId: string
        readonly slot: Slot
        readonly tally: SwitchTally
        readonly numbers: SlotNumbers
      }
    | undefined

  /** @param span What lies in other days is left out. */
  constructor(calendarOf: CalendarOf, span?: DaySpan) {
    this.#calendarOf = calendarOf
    this.#span = span
  }

  /** @param sign -1 takes away what was added before. */
  add(switchId: string, { since, stretch }: FactStretch, sign: 1 | -1): void {
    const last = this.#last
    const isWithinLast =
      last !== undefined &&
      last.switchId === switchId &&
      stretch.fromMs >= last.slot.startMs &&
      stretch.toMs <= last.slot.endMs &&
      last.location.classroom.equals(since.classroom) &&
      last.location.deviceId.equals(since.deviceId)
    if (isWithinLast) {
      last.numbers.addStretch(stretch, sign)
      last.tally.rateCost.add(sign * stretch.consumedMws, since.ratePerKwh)
    } else {
      for (const part of slotPartsOf(stretch, this.#calendarOf(since.classroom)))
        this.#addPart(switchId, since, part, sign)
    }
  }

  /** Adds what somebody has added by hand. */
  adjust(switchId: string, location: DeviceInClassroom, atMs: number, change: Adjustment): void {
    const slot = this.#calendarOf(location.classroom).slotAt(atMs)
    const tally = this.#switchOf(switchId, location, slot.day)
    if (tally === undefined) return
    numbersOf(tally, slot).adjust(Math.round(change.energyWs * 1000), Math.round(change.productionWs * 1000))
    tally.adjustedCost += moneyOf(change.cost).numerator
  }

  #addPart(switchId: string, since: FactStretch['since'], { stretch, slot }: SlotPart, sign: 1 | -1): void {
    const tally = this.#switchOf(switchId, since, slot.day)
    if (tally === undefined) return
    const numbers = numbersOf(tally, slot)
    numbers.addStretch(stretch, sign)
    tally.rateCost.add(sign * stretch.consumedMws, since.ratePerKwh)
    this.#last = { location: since, switchId, slot, tally, numbers }
  }

  #switchOf(switchId: string, { deviceId, classroom }: DeviceInClassroom, day: SlotDay): SwitchTally | undefined {
    if (this.#span !== undefined && (day.date < this.#span.from || day.date > this.#span.to)) return undefined
    const key = `${deviceId.toHexString()} ${classroom.toHexString()} ${day.date}`
    const known = this.days.get(key) ?? { deviceId, classroom, day, switches: new Map<string, SwitchTally>() }
    this.days.set(key, known)
    const tally = known.switches.get(switchId) ?? emptySwitchTally()
    known.switches.set(switchId, tally)
    return tally
  }
}

interface Adjustment {
  readonly energyWs: number
  readonly productionWs: number
  readonly cost: number
}

function numbersOf({ slots }: SwitchTally, { startMs, day }: Slot): SlotNumbers {
  const at = startMs - day.startMs
  const numbers = slots.get(at) ?? new SlotNumbers()
  slots.set(at, numbers)
  return numbers
}
