import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { type CurrencySums, type DaysScope, daysStages, summed } from './daily-pipelines.js'
import type { ParsedMonths } from './questions.js'
import { idsSchema, monthlyStages, type Pipeline } from './stages.js'

/** Which monthly roll-ups a pipeline reads. */
export type MonthsScope = Readonly<ParsedMonths>

export interface MonthSums extends CurrencySums {
  readonly month: string
}

/** Energy and cost of a month in one currency; null where nothing had a price. */
export type MonthTrend = Pick<
  MonthSums,
  'month' | 'currency' | 'energy_mws' | 'production_mws' | 'cost_exact' | 'documents'
>

/** Hour sums: what was used in an hour of the day, whatever the day. */
export interface HourSums {
  /** 0 to 23, local time. */
  readonly hour: number
  readonly energy_mws: number
  readonly switches: number
}

/** What a device used in a classroom. */
export interface DeviceUse {
  readonly device_id: ObjectId
  readonly classroom: ObjectId
  readonly esp32_name: string
  readonly energy_mws: number
  /** How long energy flowed, its switches' times added up. */
  readonly on_ms: number
  readonly switch_count: number
}

/** A part of a list. */
export interface Part {
  readonly skip: number
  readonly limit: number
}

const month = () => z.string().regex(/^\d{4}-\d{2}$/)
const ids = { classrooms: idsSchema, devices: idsSchema }
const monthsScopeSchema = z.object({ from: month(), to: month(), ...ids })
const monthScopeSchema = z.object({ month: month(), ...ids })
const partSchema = z.object({ skip: z.int().min(0), limit: z.int().min(1) })

/** Which monthly roll-ups of one month a pipeline reads. */
type MonthScope = Omit<MonthsScope, 'from' | 'to'> & { readonly month: string }

const { between, among, sumBy } = monthlyStages

/** The monthly roll-ups of some months. */
export function monthsStages(scope: MonthsScope): Pipeline<unknown> {
  const { from, to, classrooms, devices } = validateData(monthsScopeSchema, scope, 'The months')
  return [between('month', from, to), ...among('classroom', classrooms), ...among('device_id', devices)]
}

/**
 * For the monthly roll-ups: energy and cost by civil month and currency, in order. Reads an index alone, one key for each
 * device and month. Sums of decimals take most of the time: {@link monthlySumsPipeline} has those of earnings and CO2 too.
 */
export function monthlyTrendPipeline(scope: MonthsScope): Pipeline<MonthTrend> {
  const { energy_mws, production_mws, cost_exact } = summed
  return [...byMonth(scope, { energy_mws, production_mws, cost_exact })]
}

/** For the monthly roll-ups: all sums by civil month and currency, in order. Reads an index alone. */
export function monthlySumsPipeline(scope: MonthsScope): Pipeline<MonthSums> {
  return [...byMonth(scope, summed)]
}

function byMonth(scope: MonthsScope, sums: Parameters<typeof sumBy>[1]) {
  return [
    ...monthsStages(scope),
    ...sumBy({ month: 'month', currency: 'currency' }, sums),
    { $sort: { month: 1, currency: 1 } } as const,
  ]
}

/** For the monthly roll-ups of one month: sums by hour of the day, by energy. Reads a document per device. */
export function peakHoursPipeline(scope: MonthScope) {
  const pipeline: Pipeline<HourSums> = [
    ...monthStages(scope),
    { $project: { _id: 0, hours_mws: 1, hours_switches: 1 } },
    { $unwind: { path: '$hours_mws', includeArrayIndex: 'hour' } },
    {
      $group: {
        _id: '$hour',
        energy_mws: { $sum: '$hours_mws' },
        switches: { $sum: { $arrayElemAt: ['$hours_switches', '$hour'] } },
      },
    },
    { $match: { energy_mws: { $ne: 0 } } },
    { $project: { _id: 0, hour: { $toInt: '$_id' }, energy_mws: 1, switches: 1 } },
    { $sort: { energy_mws: -1, hour: 1 } },
  ]
  return pipeline
}

const byUse = { $sort: { energy_mws: -1, device_id: 1, classroom: 1 } } as const
const use = { _id: 0, device_id: 1, classroom: 1, esp32_name: 1, energy_mws: 1, on_ms: 1, switch_count: 1 } as const

/** For the monthly roll-ups of one month: devices by energy, all or a part. Walks along an index, which has it all. */
export function deviceEfficiencyPipeline(scope: MonthScope, part?: Part): Pipeline<DeviceUse> {
  return [...monthStages(scope), byUse, ...partStages(part), { $project: use }]
}

/** For the daily roll-ups of any days: devices by energy, all or a part. Reads a document per device and day. */
export function deviceEfficiencyOfDaysPipeline(scope: DaysScope, part?: Part): Pipeline<DeviceUse> {
  const flows = { $or: [{ $ne: ['$$this.energy_mws', 0] }, { $ne: ['$$this.production_mws', 0] }] }
  const used = { $filter: { input: '$switch_breakdown', cond: flows } }
  return [
    ...daysStages(scope),
    { $set: { used: { $map: { input: used, in: '$$this.switch_id' } } } },
    {
      $group: {
        _id: { device_id: '$device_id', classroom: '$classroom' },
        last: { $top: { sortBy: { date_string: -1 }, output: '$esp32_name' } },
        energy_mws: { $sum: '$energy_mws' },
        on_ms: { $sum: '$on_ms' },
        used: { $push: '$used' },
      },
    },
    {
      $project: {
        _id: 0,
        device_id: '$_id.device_id',
        classroom: '$_id.classroom',
        esp32_name: '$last',
        energy_mws: 1,
        on_ms: 1,
        switch_count: {
          $size: { $reduce: { input: '$used', initialValue: [], in: { $setUnion: ['$$value', '$$this'] } } },
        },
      },
    },
    byUse,
    ...partStages(part),
  ]
}

function monthStages(scope: MonthScope): Pipeline<unknown> {
  const { month: of, ...rest } = validateData(monthScopeSchema, scope, 'The month')
  return monthsStages({ ...rest, from: of, to: of })
}

function partStages(part: Part | undefined) {
  if (part === undefined) return []
  const { skip, limit } = validateData(partSchema, part, 'The part')
  return [{ $skip: skip }, { $limit: limit }]
}
