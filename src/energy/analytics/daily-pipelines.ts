import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import type { ExactSum } from '../exact-decimal.js'
import type { ParsedDays } from './questions.js'
import { dailyStages, idsSchema, type Pipeline } from './stages.js'

/** Which daily roll-ups a pipeline reads. */
export type DaysScope = Readonly<ParsedDays>

/** Sums over roll-ups, exact: see `energy_mws` and `cost_exact` of the roll-ups. */
export interface Sums {
  readonly energy_mws: number
  readonly production_mws: number
  readonly cost_exact: ExactSum
  readonly earnings_exact: ExactSum
  readonly carbon_exact: ExactSum
  /** Switches of each document, added up. */
  readonly switches: number
  readonly documents: number
}

/** Sums in one currency; null where nothing had a price. */
export interface CurrencySums extends Sums {
  readonly currency: string | null
}

export interface ClassroomDaySums
  extends Pick<CurrencySums, 'energy_mws' | 'cost_exact' | 'switches' | 'documents' | 'currency'> {
  readonly day: string
  readonly classroom: ObjectId
}

export interface DaySums extends CurrencySums {
  readonly day: string
}

/** Over the whole range, grouped by the given keys. */
export interface KeyedSums extends CurrencySums {
  readonly key: ObjectId
}

export const summed = {
  energy_mws: 'energy_mws',
  production_mws: 'production_mws',
  cost_exact: 'cost_exact',
  earnings_exact: 'earnings_exact',
  carbon_exact: 'carbon_exact',
  switches: 'switch_count',
} as const

/** Sums of decimals take most of the time, so those that are not asked for are left out. */
const consumed = { energy_mws: 'energy_mws', cost_exact: 'cost_exact', switches: 'switch_count' } as const

const daysScopeSchema = z.object({ from: z.iso.date(), to: z.iso.date(), classrooms: idsSchema, devices: idsSchema })
const keySchema = z.enum(['classroom', 'device_id'])

const { between, among, sumBy } = dailyStages

/** The daily roll-ups of some days. */
export function daysStages(scope: DaysScope): Pipeline<unknown> {
  const { from, to, classrooms, devices } = validateData(daysScopeSchema, scope, 'The days')
  return [between('date_string', from, to), ...among('classroom', classrooms), ...among('device_id', devices)]
}

/**
 * For the daily roll-ups: sums by civil day, classroom and currency; by day, then by energy. Reads an index alone, one key
 * for each device and day.
 */
export function dailyByClassroomPipeline(scope: DaysScope): Pipeline<ClassroomDaySums> {
  return [
    ...daysStages(scope),
    ...sumBy({ day: 'date_string', classroom: 'classroom', currency: 'currency' }, consumed),
    { $sort: { day: 1, energy_mws: -1, classroom: 1 } },
  ]
}

/** For the daily roll-ups: sums by civil day and currency, in the order of days. Reads an index alone. */
export function dailySummaryPipeline(scope: DaysScope): Pipeline<DaySums> {
  return [
    ...daysStages(scope),
    ...sumBy({ day: 'date_string', currency: 'currency' }, summed),
    { $sort: { day: 1, currency: 1 } },
  ]
}

/** For the daily roll-ups: sums of a range by classroom or device, and currency, by energy. Reads an index alone. */
export function consumersPipeline(scope: DaysScope, by: 'classroom' | 'device_id'): Pipeline<KeyedSums> {
  return [
    ...daysStages(scope),
    ...sumBy({ key: validateData(keySchema, by, 'The grouping'), currency: 'currency' }, summed),
    { $sort: { energy_mws: -1, key: 1 } },
  ]
}

/** For the daily roll-ups: sums of a range by switch and currency, by energy. Reads the documents. */
export function switchConsumersPipeline(scope: DaysScope): Pipeline<KeyedSums> {
  const ofSwitch = (field: string) => ({ $sum: `$switch_breakdown.${field}` })
  return [
    ...daysStages(scope),
    { $unwind: '$switch_breakdown' },
    {
      $group: {
        _id: { key: '$switch_breakdown.switch_id', currency: '$currency' },
        energy_mws: ofSwitch('energy_mws'),
        production_mws: ofSwitch('production_mws'),
        cost_exact: ofSwitch('cost_exact'),
        earnings_exact: ofSwitch('earnings_exact'),
        carbon_exact: ofSwitch('carbon_exact'),
        documents: { $sum: 1 },
      },
    },
    { $set: { key: '$_id.key', currency: '$_id.currency', switches: 1 } },
    { $unset: '_id' },
    { $sort: { energy_mws: -1, key: 1 } },
  ]
}

/**
 * For the daily roll-ups: the civil days on which energy was used, each with the most that one device used. Skips through
 * an index from day to day, unless classrooms or devices are named.
 */
export function activeDaysPipeline(scope: DaysScope): Pipeline<{ readonly day: string; readonly most_mws: number }> {
  const days = daysStages(scope)
  const ofDay =
    scope.classrooms === undefined && scope.devices === undefined
      ? [
          { $sort: { date_string: 1 as const, energy_mws: -1 as const } },
          { $group: { _id: '$date_string', most_mws: { $first: '$energy_mws' } } },
        ]
      : [{ $group: { _id: '$date_string', most_mws: { $max: '$energy_mws' } } }]
  return [
    ...days,
    ...ofDay,
    { $match: { most_mws: { $gt: 0 } } },
    { $project: { _id: 0, day: '$_id', most_mws: 1 } },
    { $sort: { day: 1 } },
  ]
}
