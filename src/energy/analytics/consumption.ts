import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import { addDays, daysBetween } from '../days.js'
import { type Costs, groupBy, meanKwh, sumOf } from './amounts.js'
import {
  type CurrencySums,
  consumersPipeline,
  dailyByClassroomPipeline,
  dailySummaryPipeline,
  switchConsumersPipeline,
} from './daily-pipelines.js'
import { type DaysQuestion, daysQuestionSchema, type ParsedDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import { costsOf, type EnergyTotals, totalsOf } from './totals.js'

/** Classroom consumption: what a classroom used on a day. */
export interface ClassroomConsumption extends Costs {
  /** The civil day in the classroom's time zone, `YYYY-MM-DD`. */
  readonly day: string
  readonly classroom: ObjectId
  /** kWh. */
  readonly totalEnergyKwh: number
  /** Switches that used or gave energy. */
  readonly uniqueSwitches: number
  /** How many roll-ups it is the sum of: one for each device. */
  readonly recordCount: number
  /** kWh; null where no switch used any. */
  readonly averageEnergyPerSwitchKwh: number | null
}

/** Daily summary: what was used on a day. */
export interface DailySummary extends EnergyTotals {
  readonly day: string
  /** Switches that used or gave energy, each once in every device and classroom that it was in. */
  readonly uniqueSwitches: number
  readonly recordCount: number
}

/** Two periods of the same length, the second just before the first. */
export interface Comparison {
  readonly current: PeriodTotals
  readonly previous: PeriodTotals
  /** kWh. */
  readonly energyChangeKwh: number
  /** Null where nothing was used before. */
  readonly energyChangePercent: number | null
}

export interface PeriodTotals extends EnergyTotals {
  readonly from: string
  readonly to: string
}

export const topConsumersSchema = daysQuestionSchema.safeExtend({
  by: z.enum(['classroom', 'device', 'switch']).default('device'),
  limit: z.int().min(1).max(1000).default(10),
})
export type TopConsumersQuestion = z.input<typeof topConsumersSchema>

export interface Consumer extends EnergyTotals {
  /** Of the classroom, device or switch. */
  readonly id: ObjectId
  /** Of all that was used in the range, 0 to 100; null where nothing was. */
  readonly sharePercent: number | null
}

export async function dailyByClassroom(reader: RollUpReader, question: DaysQuestion): Promise<ClassroomConsumption[]> {
  const rows = await reader.daily(dailyByClassroomPipeline(parsed(question)))
  const groups = groupBy(rows, ({ day, classroom }) => day + classroom.toHexString())
  return [...groups.values()]
    .map((group) => {
      const [{ day, classroom }] = group
      const { uniqueSwitches, recordCount } = countsOf(group)
      const energyMws = energyOf(group)
      const averageEnergyPerSwitchKwh = meanKwh(energyMws, uniqueSwitches)
      return {
        day,
        classroom,
        totalEnergyKwh: kwhFromMws(energyMws),
        ...costsOf(group),
        uniqueSwitches,
        recordCount,
        averageEnergyPerSwitchKwh,
      }
    })
    .sort((a, b) => (a.day === b.day ? b.totalEnergyKwh - a.totalEnergyKwh : a.day < b.day ? -1 : 1))
}

export async function dailySummaries(reader: RollUpReader, question: DaysQuestion): Promise<DailySummary[]> {
  const rows = await reader.daily(dailySummaryPipeline(parsed(question)))
  return [...groupBy(rows, ({ day }) => day)].map(([day, group]) => ({
    day,
    ...totalsOf(group),
    ...countsOf(group),
  }))
}

export async function compareWithPrevious(reader: RollUpReader, question: DaysQuestion): Promise<Comparison> {
  const { from, to, ...scope } = parsed(question)
  const days = daysBetween(from, to)
  const before = { from: addDays(from, -days), to: addDays(from, -1) }
  const rows = await reader.daily(dailySummaryPipeline({ ...scope, from: before.from, to }))
  const current = rows.filter(({ day }) => day >= from)
  const previous = rows.filter(({ day }) => day < from)
  const changeMws = energyOf(current) - energyOf(previous)
  return {
    current: { from, to, ...totalsOf(current) },
    previous: { ...before, ...totalsOf(previous) },
    energyChangeKwh: kwhFromMws(changeMws),
    energyChangePercent: percentOf(changeMws, energyOf(previous)),
  }
}

export async function topConsumers(reader: RollUpReader, question: TopConsumersQuestion): Promise<Consumer[]> {
  const { by, limit, ...scope } = validateData(topConsumersSchema, question, 'The question')
  const pipelines = {
    classroom: () => consumersPipeline(scope, 'classroom'),
    device: () => consumersPipeline(scope, 'device_id'),
    switch: () => switchConsumersPipeline(scope),
  }
  const rows = await reader.daily(pipelines[by]())
  const allMws = energyOf(rows)
  return [...groupBy(rows, ({ key }) => key.toHexString()).values()]
    .sort((a, b) => energyOf(b) - energyOf(a))
    .slice(0, limit)
    .map((group) => ({
      id: group[0].key,
      ...totalsOf(group),
      sharePercent: percentOf(energyOf(group), allMws),
    }))
}

function parsed(question: DaysQuestion): ParsedDays {
  return validateData(daysQuestionSchema, question, 'The question')
}

function energyOf(rows: readonly Pick<CurrencySums, 'energy_mws'>[]): number {
  return sumOf(rows, ({ energy_mws }) => energy_mws)
}

function countsOf(rows: readonly Pick<CurrencySums, 'switches' | 'documents'>[]) {
  return { uniqueSwitches: sumOf(rows, (row) => row.switches), recordCount: sumOf(rows, (row) => row.documents) }
}

function percentOf(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole
}
