import type { ObjectId } from 'mongodb'
import { hourOfDay, nextCivilHour } from '../../metering/index.js'
import type { DailyAggregate, SwitchDay } from '../rollups/daily-aggregate.js'
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

/** What a switch used in an hour. */
export interface SwitchHour {
  readonly hour: DayHour
  readonly switchId: ObjectId
  readonly energyMws: number
  readonly productionMws: number
}

const placeFields = [
  'device_id',
  'esp32_name',
  'classroom',
  'time_zone',
  'date_string',
  'starts_at',
  'ends_at',
] as const
const totalFields = ['currency', 'energy_mws', 'production_mws', 'cost_exact'] as const

/** A daily roll-up, as far as its hours need it. */
export interface DayWithHours
  extends Pick<DailyAggregate, (typeof placeFields)[number] | (typeof totalFields)[number]> {
  readonly switch_breakdown: readonly (Pick<SwitchDay, 'switch_id' | 'switch_name'> & {
    readonly slots: Pick<SwitchDay['slots'], 'at_ms' | 'energy_mws' | 'production_mws'>
  })[]
}

const slotFields = ['switch_id', 'switch_name', 'slots.at_ms', 'slots.energy_mws', 'slots.production_mws'].map(
  (field) => `switch_breakdown.${field}`,
)
const projection = Object.fromEntries([...placeFields, ...totalFields, ...slotFields].map((field) => [field, 1]))

/** For the daily roll-ups: days with the energy of their hours. */
export function dayHoursPipeline(scope: DaysScope): Pipeline<DayWithHours> {
  return [...daysStages(scope), { $project: { _id: 0, ...projection } }]
}

/** The hours of days, which many documents share. */
export class DayHours {
  readonly #known = new Map<string, readonly DayHour[]>()

  /** In the order of time: 23 to 25 of them, or more where a zone changes its offset by parts of an hour. */
  of({ time_zone, date_string, starts_at, ends_at }: Omit<DayWithHours, 'switch_breakdown'>): readonly DayHour[] {
    const key = `${time_zone} ${date_string}`
    const hours = this.#known.get(key) ?? hoursBetween(starts_at.getTime(), ends_at.getTime(), time_zone, date_string)
    this.#known.set(key, hours)
    return hours
  }

  /** What each switch used in each hour in which anything was; slots under several prices of one hour together. */
  *switchHours(day: DayWithHours): Generator<SwitchHour, void, undefined> {
    const hours = this.of(day)
    const dayStartMs = day.starts_at.getTime()
    for (const { switch_id: switchId, slots } of day.switch_breakdown) {
      let at = 0
      let energyMws = 0
      let productionMws = 0
      for (const [index, slotMs] of slots.at_ms.entries()) {
        const next = hourIndexAt(hours, dayStartMs + slotMs, at)
        if (next !== at && (energyMws !== 0 || productionMws !== 0)) {
          yield { hour: hours[at] as DayHour, switchId, energyMws, productionMws }
        }
        if (next !== at) [at, energyMws, productionMws] = [next, 0, 0]
        energyMws += slots.energy_mws[index] ?? 0
        productionMws += slots.production_mws?.[index] ?? 0
      }
      if (energyMws !== 0 || productionMws !== 0) {
        yield { hour: hours[at] as DayHour, switchId, energyMws, productionMws }
      }
    }
  }
}

function hoursBetween(startMs: number, endMs: number, timeZone: string, day: string): DayHour[] {
  const hours: DayHour[] = []
  const weekday = weekdayOf(day)
  for (let atMs = startMs; atMs < endMs; atMs = hours.at(-1)?.endMs ?? endMs) {
    const hourEndMs = Math.min(nextCivilHour(atMs, timeZone), endMs)
    hours.push({ day, startMs: atMs, endMs: hourEndMs, hourOfDay: hourOfDay(atMs, timeZone), weekday })
  }
  return hours
}

/** Slots come in the order of time, so the search goes on from the hour before. */
function hourIndexAt(hours: readonly DayHour[], atMs: number, from: number): number {
  let index = from
  while (index < hours.length - 1 && (hours[index] as DayHour).endMs <= atMs) index += 1
  return index
}
