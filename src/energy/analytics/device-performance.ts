import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { objectId } from '../../core/fields.js'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import { meanKwh, sumOf } from './amounts.js'
import { DayHours, type DayWithSlots, daySlotsPipeline, partsOfSlot } from './day-hours.js'
import type { DeviceLookup } from './device-lookup.js'
import { lastDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'

export const devicePerformanceSchema = z.strictObject({
  /** The device, by its id. */
  device: objectId(),
  ...lastDays(7),
})
export type DevicePerformanceQuestion = z.input<typeof devicePerformanceSchema>

/** Device performance day: how a device did on a day. */
export interface DevicePerformanceDay {
  readonly day: string
  /** kWh. */
  readonly totalEnergyKwh: number
  /** W: the highest mean of an hour, its switches together; without what was adjusted by hand. */
  readonly peakPowerW: number
}

/** Device performance: how a device did over some days. */
export interface DevicePerformance {
  readonly deviceId: ObjectId
  readonly from: string
  readonly to: string
  /** Those for which there are roll-ups. */
  readonly days: readonly DevicePerformanceDay[]
  /** kWh. */
  readonly totalEnergyKwh: number
  /** kWh by day with roll-ups; null where there is none. */
  readonly averageDailyEnergyKwh: number | null
  /** W: the highest mean of an hour; null where nothing was used. */
  readonly peakPowerW: number | null
  /** When that hour began. */
  readonly peakAt: Date | null
}

interface Peak {
  readonly powerW: number
  readonly startMs: number
}

export async function devicePerformance(
  reader: RollUpReader,
  lookup: DeviceLookup,
  question: DevicePerformanceQuestion,
): Promise<DevicePerformance> {
  const { device: id, ...last } = validateData(devicePerformanceSchema, question, 'The question')
  const { _id, classroom } = await lookup.device(id)
  const range = lookup.rangeOf(last, await lookup.timeZones(classroom === undefined ? [] : [classroom]))
  const documents = await reader.daily(daySlotsPipeline({ ...range, classrooms: undefined, devices: [_id] }))
  const byDay = new Map<string, DayWithSlots[]>()
  for (const document of documents) {
    byDay.set(document.date_string, [...(byDay.get(document.date_string) ?? []), document])
  }
  const hours = new DayHours()
  const days = [...byDay]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, ofDay]) => ({ day, energyMws: sumOf(ofDay, (one) => one.energy_mws), peak: peakOf(ofDay, hours) }))
  const energyMws = sumOf(days, (day) => day.energyMws)
  const peak = highest(days.flatMap((day) => day.peak ?? []))
  return {
    deviceId: _id,
    ...range,
    days: days.map((one) => ({
      day: one.day,
      totalEnergyKwh: kwhFromMws(one.energyMws),
      peakPowerW: one.peak?.powerW ?? 0,
    })),
    totalEnergyKwh: kwhFromMws(energyMws),
    averageDailyEnergyKwh: meanKwh(energyMws, days.length),
    peakPowerW: peak?.powerW ?? null,
    peakAt: peak === undefined ? null : new Date(peak.startMs),
  }
}

function peakOf(documents: readonly DayWithSlots[], hours: DayHours): Peak | undefined {
  const loads = new Map<number, { energyMws: number; lengthMs: number }>()
  for (const document of documents) {
    for (const { hour, slots, at } of hours.switchSlots(document)) {
      const load = loads.get(hour.startMs) ?? { energyMws: 0, lengthMs: hour.endMs - hour.startMs }
      load.energyMws += partsOfSlot(slots, at).consumedMws
      loads.set(hour.startMs, load)
    }
  }
  return highest([...loads].map(([startMs, { energyMws, lengthMs }]) => ({ startMs, powerW: energyMws / lengthMs })))
}

/** The highest power, of equal ones the first. */
function highest(peaks: readonly Peak[]): Peak | undefined {
  const used = peaks.filter(({ powerW }) => powerW > 0)
  return used.sort((a, b) => b.powerW - a.powerW || a.startMs - b.startMs)[0]
}
