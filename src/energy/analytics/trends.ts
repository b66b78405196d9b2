import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import { type Costs, groupBy, meanKwh, sumOf } from './amounts.js'
import { activeDaysPipeline } from './daily-pipelines.js'
import { monthlyTrendPipeline } from './monthly-pipelines.js'
import { lastDayOfMonth } from './periods.js'
import { type MonthsQuestion, monthsQuestionSchema } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import { costsOf } from './totals.js'

/** Monthly trend: what was used in a month. */
export interface MonthlyTrend extends Costs {
  /** `YYYY-MM`. */
  readonly month: string
  /** kWh used. */
  readonly totalEnergyKwh: number
  /** kWh given. */
  readonly totalProductionKwh: number
  /** Days on which energy was used. */
  readonly activeDays: number
  /** kWh by active day; null where there is none. */
  readonly averageDailyEnergyKwh: number | null
}

export async function monthlyTrends(reader: RollUpReader, question: MonthsQuestion): Promise<MonthlyTrend[]> {
  const scope = validateData(monthsQuestionSchema, question, 'The question')
  const days = { ...scope, from: `${scope.from}-01`, to: lastDayOfMonth(scope.to) }
  const [rows, active] = await Promise.all([
    reader.monthly(monthlyTrendPipeline(scope)),
    reader.daily(activeDaysPipeline(days)),
  ])
  const activeDays = groupBy(active, ({ day }) => day.slice(0, 7))
  return [...groupBy(rows, ({ month }) => month)].map(([month, group]) => {
    const count = activeDays.get(month)?.length ?? 0
    const energyMws = sumOf(group, ({ energy_mws }) => energy_mws)
    return {
      month,
      totalEnergyKwh: kwhFromMws(energyMws),
      totalProductionKwh: kwhFromMws(sumOf(group, ({ production_mws }) => production_mws)),
      ...costsOf(group),
      activeDays: count,
      averageDailyEnergyKwh: meanKwh(energyMws, count),
    }
  })
}
