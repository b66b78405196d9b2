import type { ObjectId } from 'mongodb'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import type { MonthlyAggregate, SwitchMonth } from '../roll-ups/monthly-aggregate.js'
import { meanKwh, sumOf } from './amounts.js'
import { DayHours, dayHoursPipeline } from './day-hours.js'
import { type HourSums, monthsStages, peakHoursPipeline } from './monthly-pipelines.js'
import { coverOf, wholeMonth } from './periods.js'
import { type DaysQuestion, daysQuestionSchema, type ParsedDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import type { Pipeline } from './stages.js'

/** Peak hour: what was used in an hour of the day. */
export interface PeakHour {
  /** 0 to 23, local time of each classroom. */
  readonly hour: number
  /** kWh. */
  readonly totalEnergyKwh: number
  /** Switches that used energy in this hour of the days, each once in every device and classroom that it was in. */
  readonly switchCount: number
  /** kWh. */
  readonly averageEnergyPerSwitchKwh: number | null
}

export async function peakHours(reader: RollUpReader, question: DaysQuestion): Promise<PeakHour[]> {
  const scope = validateData(daysQuestionSchema, question, 'The question')
  const month = wholeMonth(scope)
  const { from, to, ...where } = scope
  const rows =
    month === undefined
      ? await hoursOfDays(reader, scope)
      : await reader.monthly(peakHoursPipeline({ ...where, month }))
  return rows.map(({ hour, energy_mws, switches }) => ({
    hour,
    totalEnergyKwh: kwhFromMws(energy_mws),
    switchCount: switches,
    averageEnergyPerSwitchKwh: meanKwh(energy_mws, switches),
  }))
}

type MonthHours = Pick<MonthlyAggregate, 'device_id' | 'classroom'> & {
  readonly switch_breakdown: readonly Pick<SwitchMonth, 'switch_id' | 'hours_mws'>[]
}
type DeviceInClassroom = Pick<MonthlyAggregate, 'device_id' | 'classroom'>

/** Switches are counted one by one here: one that used energy on two days counts once, as in the roll-up of a month. */
async function hoursOfDays(reader: RollUpReader, scope: ParsedDays): Promise<HourSums[]> {
  const switches = new SwitchHours()
  const { months, days } = coverOf(scope)
  if (months !== undefined) {
    for (const month of await reader.monthly(switchMonths({ ...scope, ...months }))) {
      for (const { switch_id, hours_mws } of month.switch_breakdown) {
        const sums = switches.sumsOf(month, switch_id)
        for (const [hour, energyMws] of hours_mws.entries()) sums[hour] = (sums[hour] ?? 0) + energyMws
      }
    }
  }
  const dayHours = new DayHours()
  for (const range of days) {
    for await (const day of reader.dailyStream(dayHoursPipeline({ ...scope, ...range }))) {
      for (const { hour, energyMws, switchId } of dayHours.switchHours(day)) {
        const sums = switches.sumsOf(day, switchId)
        sums[hour.hourOfDay] = (sums[hour.hourOfDay] ?? 0) + energyMws
      }
    }
  }
  return switches.hours
}

/** Whole milliwatt-seconds by hour of the day, of each switch in each device and classroom. */
class SwitchHours {
  readonly #bySwitch = new Map<string, number[]>()
  #last: { readonly at: DeviceInClassroom; readonly switchId: ObjectId; readonly sums: number[] } | undefined

  sumsOf(at: DeviceInClassroom, switchId: ObjectId): number[] {
    if (this.#last?.at === at && this.#last.switchId === switchId) return this.#last.sums
    const key = [at.device_id, at.classroom, switchId].map((id) => id.toHexString()).join()
    const sums = this.#bySwitch.get(key) ?? new Array<number>(24).fill(0)
    this.#bySwitch.set(key, sums)
    this.#last = { at, switchId, sums }
    return sums
  }

  /** By energy; those in which nothing was used are left out. */
  get hours(): HourSums[] {
    const all = [...this.#bySwitch.values()]
    return Array.from({ length: 24 }, (_, hour) => {
      const used = all.map((sums) => sums[hour] ?? 0).filter((energyMws) => energyMws !== 0)
      return { hour, energy_mws: sumOf(used, (energyMws) => energyMws), switches: used.length }
    })
      .filter(({ energy_mws }) => energy_mws !== 0)
      .sort((a, b) => b.energy_mws - a.energy_mws || a.hour - b.hour)
  }
}

function switchMonths(scope: Parameters<typeof monthsStages>[0]): Pipeline<MonthHours> {
  return [
    ...monthsStages(scope),
    {
      $project: {
        _id: 0,
        device_id: 1,
        classroom: 1,
        'switch_breakdown.switch_id': 1,
        'switch_breakdown.hours_mws': 1,
      },
    },
  ]
}
