import type { ObjectId } from 'mongodb'
import { civilDayOf, hourOfDay, nextCivilHour } from '../../metering/index.js'
import type { DailyAggregate, SwitchBreakdown } from '../roll-ups/daily-aggregate.js'
import { pricedNumbersOf } from '../roll-ups/day-document.js'
import { type DaysScope, daysStages } from './daily-pipelines.js'
import { weekdayOf } from './periods.js'
import type { Pipeline } from './stages.js'

/** A civil hour of a day. */
export interface DayHour {
  /** The civil day, `YYYY-MM-DD`. */
  readonly day: string
  readonly startMs: number
  readonly endMs: number
  /** 0 to 23; the same for both of an hour that is repeated. */
  readonly hourOfDay: number
  /** ISO weekday: Monday 1 to Sunday 7. */
  readonly weekday: number
}

/** Switch hour: what a switch used in an hour. */
export interface SwitchHour {
  readonly hour: DayHour
  readonly switchId: ObjectId
  readonly energyMws: number
  readonly productionMws: number
}

/** A part of an hour of a switch, under one price. */
export interface SwitchSlot<Slots> {
  readonly hour: DayHour
  readonly switchId: ObjectId
  /** Its place in the lists of the switch. */
  readonly at: number
  readonly slots: Slots
}

/** What meters reported for a slot, and what of it was adjusted by hand, whole milliwatt-seconds. */
export function partsOfSlot(slots: DayWithSlots['switch_breakdown'][number]['slots'], at: number) {
  const { energyMws, productionMws, adjustedMws, adjustedProductionMws } = pricedNumbersOf(slots, at)
  return {
    consumedMws: energyMws - adjustedMws,
    producedMws: productionMws - adjustedProductionMws,
    adjustedMws,
    adjustedProductionMws,
  }
}

const placeFields = [
  'device_id',
  'esp32_name',
  'classroom',
  'time_zone',
  'date_string',
  'starts_at',
  'ends_at',
  'price_cuts_ms',
] as const
const totalFields = ['currency', 'energy_mws', 'production_mws', 'cost_exact'] as const

type HourSlots = Pick<SwitchBreakdown['slots'], 'at_ms' | 'energy_mws' | 'production_mws'>

interface SlottedDay<Slots> extends Pick<DailyAggregate, (typeof placeFields)[number] | (typeof totalFields)[number]> {
  readonly switch_breakdown: readonly (Pick<SwitchBreakdown, 'switch_id' | 'switch_name' | 'adjusted_cost_exact'> & {
    readonly slots: Slots
  })[]
}

/** A daily roll-up, as far as its hours need it. */
export interface DayWithHours extends SlottedDay<HourSlots> {}

/** A daily roll-up with all of its slots that energy, its cost and its quality are made of. */
export interface DayWithSlots extends SlottedDay<Omit<SwitchBreakdown['slots'], 'on_ms'>> {}

const slotFields = ['switch_id', 'switch_name', 'slots.at_ms', 'slots.energy_mws', 'slots.production_mws'].map(
  (field) => `switch_breakdown.${field}`,
)
const projection = Object.fromEntries([...placeFields, ...totalFields, ...slotFields].map((field) => [field, 1]))

/** For the daily roll-ups: days with the energy of their hours. */
export function dayHoursPipeline(scope: DaysScope): Pipeline<DayWithHours> {
  return [...daysStages(scope), { $project: { _id: 0, ...projection } }]
}

const moreFields = [
  'adjusted_cost_exact',
  ...['adjusted_mws', 'adjusted_production_mws', 'measured_ms', 'estimated_ms', 'missing_ms'].map(
    (field) => `slots.${field}`,
  ),
].map((field) => [`switch_breakdown.${field}`, 1])

/** For the daily roll-ups: the same, with what was adjusted by hand, and how long the slots are known. */
export function daySlotsPipeline(scope: DaysScope): Pipeline<DayWithSlots> {
  return [...daysStages(scope), { $project: { _id: 0, ...projection, ...Object.fromEntries(moreFields) } }]
}

type DayTimeSpan = Pick<DailyAggregate, 'time_zone' | 'date_string' | 'starts_at' | 'ends_at'>

/** The hours of days, which many documents share. */
export class DayHours {
  readonly #known = new Map<string, readonly DayHour[]>()

  /** In the order of time: 23 to 25 of them, or more where a zone changes its offset by parts of an hour or across midnight. */
  of({ time_zone, date_string, starts_at, ends_at }: DayTimeSpan): readonly DayHour[] {
    const key = `${time_zone} ${date_string}`
    const hours = this.#known.get(key) ?? hoursBetween(starts_at.getTime(), ends_at.getTime(), time_zone, date_string)
    this.#known.set(key, hours)
    return hours
  }

  /** What each switch used in each hour in which anything was; slots under several prices of one hour together. */
  *switchHours(day: DayWithHours): Generator<SwitchHour, void, undefined> {
    let sum: { hour: DayHour; switchId: ObjectId; energyMws: number; productionMws: number } | undefined
    for (const { hour, switchId, slots, at } of this.switchSlots(day)) {
      if (sum?.hour !== hour || sum.switchId !== switchId) {
        if (sum !== undefined && (sum.energyMws !== 0 || sum.productionMws !== 0)) yield sum
        sum = { hour, switchId, energyMws: 0, productionMws: 0 }
      }
      sum.energyMws += slots.energy_mws[at] ?? 0
      sum.productionMws += slots.production_mws?.[at] ?? 0
    }
    if (sum !== undefined && (sum.energyMws !== 0 || sum.productionMws !== 0)) yield sum
  }

  /** The slots of each switch as they are stored, in the order of time. */
  *switchSlots<Slots extends HourSlots>(day: SlottedDay<Slots>): Generator<SwitchSlot<Slots>, void, undefined> {
    const hours = this.of(day)
    const dayStartMs = day.starts_at.getTime()
    for (const { switch_id: switchId, slots } of day.switch_breakdown) {
      let index = 0
      for (const [at, slotMs] of slots.at_ms.entries()) {
        index = hourIndexAt(hours, dayStartMs + slotMs, index)
        yield { hour: hours[index] as DayHour, switchId, at, slots }
      }
    }
  }
}

function hoursBetween(startMs: number, endMs: number, timeZone: string, day: string): DayHour[] {
  const hours: DayHour[] = []
  const weekday = weekdayOf(day)
  for (let atMs = startMs; atMs < endMs; ) {
    const hourEndMs = Math.min(nextCivilHour(atMs, timeZone), endMs)
    // Where clocks are put back across midnight, hours of another day lie between those of this one.
    if (civilDayOf(atMs, timeZone) === day)
      hours.push({ day, startMs: atMs, endMs: hourEndMs, hourOfDay: hourOfDay(atMs, timeZone), weekday })
    atMs = hourEndMs
  }
  return hours
}

/** Slots come in the order of time, so the search goes on from the hour before. */
function hourIndexAt(hours: readonly DayHour[], atMs: number, from: number): number {
  let index = from
  while (index < hours.length - 1 && (hours[index] as DayHour).endMs <= atMs) index += 1
  return index
}
