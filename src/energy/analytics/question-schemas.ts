import { anomaliesSchema } from './anomalies.js'
import { topConsumersSchema } from './consumption.js'
import { costsSchema } from './cost-report.js'
import { devicePerformanceSchema } from './device-performance.js'
import { deviceEfficiencySchema } from './efficiency.js'
import { forecastSchema } from './forecast.js'
import { idleUseSchema } from './idle-use.js'
import { lineProtocolSchema } from './line-protocol.js'
import { loadCurveSchema } from './load-curve.js'
import { daysQuestionSchema, monthsQuestionSchema } from './questions.js'
import { energyBalanceSchema, userSummariesSchema } from './user-energy.js'

/** The schema of each question, by the method of `volt.analytics` that answers it: for a host's own routes and tools. */
export const questionSchemas = {
  dailyByClassroom: daysQuestionSchema,
  dailySummaries: daysQuestionSchema,
  monthlyTrends: monthsQuestionSchema,
  peakHours: daysQuestionSchema,
  deviceEfficiency: daysQuestionSchema,
  deviceEfficiencyPage: deviceEfficiencySchema,
  devicePerformance: devicePerformanceSchema,
  energyBalance: energyBalanceSchema,
  userEnergySummaries: userSummariesSchema,
  costs: costsSchema,
  compareWithPrevious: daysQuestionSchema,
  topConsumers: topConsumersSchema,
  loadCurve: loadCurveSchema,
  idleUse: idleUseSchema,
  anomalies: anomaliesSchema,
  forecast: forecastSchema,
  lineProtocol: lineProtocolSchema,
} as const
