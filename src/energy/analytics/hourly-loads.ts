import type { ObjectId } from 'mongodb'
import { exactOf } from '../exact-decimal.js'
import type { DaysScope } from './daily-pipelines.js'
import { type DayHour, DayHours, type DayWithHours, dayHoursPipeline } from './day-hours.js'
import type { RollUpReader } from './roll-up-reader.js'

/** What a classroom or device used in an hour. */
export interface HourLoad {
  readonly hour: DayHour
  energyMws: number
  /** Its cost by currency, at the mean price of its device's day. */
  readonly costs: Map<string, bigint>
}

/** The hours of a classroom or device. */
export interface Loads {
  readonly id: ObjectId
  /** Every hour of the days for which there are roll-ups, by its start. */
  readonly byStart: Map<number, HourLoad>
}

/** The hourly loads of each classroom or device: one number for each hour of the days, whatever the number of switches. */
export async function hourlyLoads(
  reader: RollUpReader,
  scope: DaysScope,
  by: 'classroom' | 'device',
): Promise<readonly Loads[]> {
  const hours = new DayHours()
  const found = new Map<string, Loads>()
  for await (const day of reader.dailyStream(dayHoursPipeline(scope))) {
    const id = by === 'classroom' ? day.classroom : day.device_id
    const loads = found.get(id.toHexString()) ?? { id, byStart: new Map() }
    found.set(id.toHexString(), loads)
    addDay(loads, day, hours)
  }
  return [...found.values()].sort((a, b) => (a.id.toHexString() < b.id.toHexString() ? -1 : 1))
}

function addDay({ byStart }: Loads, day: DayWithHours, hours: DayHours): void {
  for (const hour of hours.of(day)) {
    if (!byStart.has(hour.startMs)) byStart.set(hour.startMs, { hour, energyMws: 0, costs: new Map() })
  }
  const dayCost = exactOf(day.cost_exact)
  for (const { hour, energyMws } of hours.switchHours(day)) {
    const load = byStart.get(hour.startMs)
    if (load === undefined) continue
    load.energyMws += energyMws
    if (day.currency === null || day.energy_mws <= 0) continue
    const cost = (dayCost * BigInt(energyMws)) / BigInt(day.energy_mws)
    load.costs.set(day.currency, (load.costs.get(day.currency) ?? 0n) + cost)
  }
}

/** W, the mean. */
export function powerOf({ energyMws, hour }: Pick<HourLoad, 'energyMws' | 'hour'>): number {
  return energyMws / (hour.endMs - hour.startMs)
}
