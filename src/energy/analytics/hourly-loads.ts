import type { ObjectId } from 'mongodb'
import { exactOf } from '../exact-decimal.js'
import type { DaysScope } from './daily-pipelines.js'
import { type DayHour, DayHours, type DayWithSlots, daySlotsPipeline, partsOfSlot } from './day-hours.js'
import type { DeviceLookup } from './device-lookup.js'
import { LastReported } from './last-reported.js'
import type { RollUpReader } from './roll-up-reader.js'

/** Hour load: what a classroom or device used in an hour; what was adjusted by hand is not in it. */
export interface HourLoad {
  readonly hour: DayHour
  energyMws: number
  /** Its cost by currency, at the mean price of its device's day. */
  readonly costs: Map<string, bigint>
}

/** The hours of a classroom or device. */
export interface Loads {
  readonly id: ObjectId
  /** Of the days for which there are roll-ups, the hours that are known in full, by their start. */
  readonly byStart: ReadonlyMap<number, HourLoad>
}

interface LoadsSoFar {
  readonly id: ObjectId
  readonly byStart: Map<number, HourLoad>
  readonly missing: Set<number>
  readonly lastReported: LastReported
}

/**
 * The hourly loads of each classroom or device: one number for each hour of the days, whatever the number of switches. Left
 * out are hours that have not ended, those before the first that anything is known of, those of which a part is missing of
 * some switch, and those that a switch has not reported yet.
 */
export async function hourlyLoads(
  reader: RollUpReader,
  lookup: DeviceLookup,
  scope: DaysScope,
  by: 'classroom' | 'device',
): Promise<readonly Loads[]> {
  const hours = new DayHours()
  const found = new Map<string, LoadsSoFar>()
  const devices = new Map<string, ObjectId>()
  for await (const day of reader.dailyStream(daySlotsPipeline(scope))) {
    const id = by === 'classroom' ? day.classroom : day.device_id
    const loads = found.get(id.toHexString()) ?? {
      id,
      byStart: new Map(),
      missing: new Set(),
      lastReported: new LastReported(),
    }
    found.set(id.toHexString(), loads)
    devices.set(day.device_id.toHexString(), day.device_id)
    addDay(loads, day, hours)
  }
  const unreported = await lookup.unreportedSwitches([...devices.values()])
  for (const { byStart, missing, lastReported } of found.values()) {
    const isUnknown = lastReported.unknownHours(unreported)
    for (const [startMs, { hour }] of byStart) {
      if (hour.endMs > lookup.nowMs || missing.has(startMs) || isUnknown(hour)) byStart.delete(startMs)
    }
  }
  return [...found.values()].sort((a, b) => (a.id.toHexString() < b.id.toHexString() ? -1 : 1))
}

function addDay({ byStart, missing, lastReported }: LoadsSoFar, day: DayWithSlots, hours: DayHours): void {
  for (const hour of hours.of(day)) {
    if (!byStart.has(hour.startMs)) byStart.set(hour.startMs, { hour, energyMws: 0, costs: new Map() })
  }
  const dayCost = exactOf(day.cost_exact)
  for (const { hour, switchId, slots, at } of hours.switchSlots(day)) {
    const missingMs = slots.missing_ms?.[at] ?? 0
    if (missingMs > 0) missing.add(hour.startMs)
    const reportedMs = (slots.measured_ms[at] ?? 0) + (slots.estimated_ms?.[at] ?? 0) + missingMs
    if (reportedMs > 0) lastReported.add(switchId, day.classroom, hour, reportedMs)
    const load = byStart.get(hour.startMs)
    const { consumedMws: energyMws } = partsOfSlot(slots, at)
    if (load === undefined || energyMws === 0) continue
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
