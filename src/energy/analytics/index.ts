/**
 * For hosts with questions of their own: pipelines, their stages and rows, and the schemas of our questions.
 *
 * @module @autovolt/data/analytics
 */
export {
  activeDaysPipeline,
  type ClassroomDaySums,
  type CurrencySums,
  consumersPipeline,
  type DaySums,
  type DaysScope,
  dailyByClassroomPipeline,
  dailySummaryPipeline,
  daysStages,
  type KeyedSums,
  type Sums,
  switchConsumersPipeline,
} from './daily-pipelines.js'
export { type DayWithHours, dayHoursPipeline } from './day-hours.js'
export {
  type DeviceUse,
  deviceEfficiencyOfDaysPipeline,
  deviceEfficiencyPipeline,
  type HourSums,
  type MonthSums,
  type MonthsScope,
  type MonthTrend,
  monthlySumsPipeline,
  monthlyTrendPipeline,
  monthsStages,
  type Part,
  peakHoursPipeline,
} from './monthly-pipelines.js'
export { questionSchemas } from './question-schemas.js'
export type { ParsedDays, ParsedMonths } from './questions.js'
export { dailyStages, monthlyStages, type Pipeline, type RowOf, type StagesOf } from './stages.js'
