import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import type { MonthlyAggregate } from '../rollups/monthly-aggregate.js'
import { meanKwh } from './amounts.js'
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
  /** Switches that used energy in this hour on any of the days. */
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

type MonthHours = Pick<MonthlyAggregate['switch_breakdown'][number], 'switch_id' | 'hours_mws'>

/** Switches are told apart here: one that used energy on two days counts once. */
async function hoursOfDays(reader: RollUpReader, scope: ParsedDays): Promise<HourSums[]> {
  const hours = Array.from({ length: 24 }, (_, hour) => ({ hour, energyMws: 0, switches: new Set<string>() }))
  const add = (hour: number, energyMws: number, switchId: string) => {
    const sums = hours[hour]
    if (sums === undefined || energyMws === 0) return
    sums.energyMws += energyMws
    if (energyMws > 0) sums.switches.add(switchId)
  }
  const { months, days } = coverOf(scope)
  if (months !== undefined) {
    for (const { switch_id, hours_mws } of await reader.monthly(switchMonths({ ...scope, ...months }))) {
      for (const [hour, energyMws] of hours_mws.entries()) add(hour, energyMws, switch_id.toHexString())
    }
  }
  const dayHours = new DayHours()
  for (const range of days) {
    for await (const day of reader.dailyStream(dayHoursPipeline({ ...scope, ...range }))) {
      for (const { hour, energyMws, switchId } of dayHours.switchHours(day)) {
        add(hour.hourOfDay, energyMws, switchId.toHexString())
      }
    }
  }
  return hours
    .filter(({ energyMws }) => energyMws > 0)
    .map(({ hour, energyMws, switches }) => ({ hour, energy_mws: energyMws, switches: switches.size }))
    .sort((a, b) => b.energy_mws - a.energy_mws || a.hour - b.hour)
}

function switchMonths(scope: Parameters<typeof monthsStages>[0]): Pipeline<MonthHours> {
  return [
    ...monthsStages(scope),
    { $project: { _id: 0, 'switch_breakdown.switch_id': 1, 'switch_breakdown.hours_mws': 1 } },
    { $unwind: '$switch_breakdown' },
    { $replaceRoot: { newRoot: '$switch_breakdown' } },
  ]
}
