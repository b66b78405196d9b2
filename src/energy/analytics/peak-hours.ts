import type { ObjectId } from 'mongodb'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import type { MonthlyAggregate, SwitchMonth } from '../rollups/monthly-aggregate.js'
import { meanKwh, sumOf } from './amounts.js'
import { DayHours, dayHoursPipeline } from './day-hours.js'
import { type HourSums, monthsStages, peakHoursPipeline } from './monthly-pipelines.js'
import { coverOf, wholeMonth } from './periods.js'
import { type DaysQuestion, daysQuestionSchema, type ParsedDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import type { Pipeline } from './stages.js'

/** What was used in an hour of the day. */
export interface PeakHour {
  /** 0 to 23, local time of each classroom. */
  readonly hour: number
  /** kWh. */
  readonly totalEnergy: number
  /** Switches that used energy in this hour of the days, each once in every device and classroom that it was in. */
  readonly switchCount: number
  /** kWh. */
  readonly averageEnergyPerSwitch: number | null
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
    totalEnergy: kwhFromMws(energy_mws),
    switchCount: switches,
    averageEnergyPerSwitch: meanKwh(energy_mws, switches),
  }))
}

type MonthHours = Pick<MonthlyAggregate, 'device_id' | 'classroom'> & {
  readonly switch_breakdown: readonly Pick<SwitchMonth, 'switch_id' | 'hours_mws'>[]
}
type Place = Pick<MonthlyAggregate, 'device_id' | 'classroom'>

/** Switches are told apart here: one that used energy on two days counts once, as in the roll-up of a month. */
async function hoursOfDays(reader: RollUpReader, scope: ParsedDays): Promise<HourSums[]> {
  const hours = Array.from({ length: 24 }, (_, hour) => ({ hour, switches: new Map<string, number>() }))
  const add = (hour: number, energyMws: number, switchId: ObjectId, { device_id, classroom }: Place) => {
    const sums = hours[hour]
    if (sums === undefined || energyMws === 0) return
    const key = [device_id, classroom, switchId].map((id) => id.toHexString()).join()
    sums.switches.set(key, (sums.switches.get(key) ?? 0) + energyMws)
  }
  const { months, days } = coverOf(scope)
  if (months !== undefined) {
    for (const month of await reader.monthly(switchMonths({ ...scope, ...months }))) {
      for (const { switch_id, hours_mws } of month.switch_breakdown) {
        for (const [hour, energyMws] of hours_mws.entries()) add(hour, energyMws, switch_id, month)
      }
    }
  }
  const dayHours = new DayHours()
  for (const range of days) {
    for await (const day of reader.dailyStream(dayHoursPipeline({ ...scope, ...range }))) {
      for (const { hour, energyMws, switchId } of dayHours.switchHours(day)) {
        add(hour.hourOfDay, energyMws, switchId, day)
      }
    }
  }
  return hours
    .map(({ hour, switches }) => {
      const used = [...switches.values()].filter((energyMws) => energyMws !== 0)
      return { hour, energy_mws: sumOf(used, (energyMws) => energyMws), switches: used.length }
    })
    .filter(({ energy_mws }) => energy_mws !== 0)
    .sort((a, b) => b.energy_mws - a.energy_mws || a.hour - b.hour)
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
