import type { Database } from '../../core/database.js'
import type { Page } from '../../core/repository/page.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import type { User } from '../../identity/user.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { AnalyticsCache } from '../cache/analytics-cache.js'
import type { CostVersion } from '../tariffs/cost-version.js'
import { type AnomaliesQuestion, type Anomaly, anomalies } from './anomalies.js'
import { ClassroomNames } from './classroom-names.js'
import { type Answer, Completeness } from './completeness.js'
import {
  type ClassroomConsumption,
  type Comparison,
  type Consumer,
  compareWithPrevious,
  type DailySummary,
  dailyByClassroom,
  dailySummaries,
  type TopConsumersQuestion,
  topConsumers,
  topConsumersSchema,
} from './consumption.js'
import { type CostsQuestion, costs, type PeriodCosts } from './cost-report.js'
import { DeviceLookup } from './device-lookup.js'
import { type DevicePerformance, type DevicePerformanceQuestion, devicePerformance } from './device-performance.js'
import {
  type DeviceEfficiency,
  type DeviceEfficiencyQuestion,
  deviceEfficiency,
  deviceEfficiencyPage,
} from './efficiency.js'
import { type Forecast, type ForecastQuestion, forecast } from './forecast.js'
import { type IdleUse, type IdleUseQuestion, idleUse, idleUseSchema } from './idle-use.js'
import { type LineProtocolQuestion, lineProtocol } from './line-protocol.js'
import { type LoadCurveQuestion, type LoadPoint, loadCurve } from './load-curve.js'
import { type PeakHour, peakHours } from './peak-hours.js'
import { type DaysQuestion, daysQuestionSchema, type MonthsQuestion, monthsQuestionSchema } from './questions.js'
import { Reports } from './reports.js'
import { type RollUpEntities, RollUpReader } from './roll-up-reader.js'
import { type MonthlyTrend, monthlyTrends } from './trends.js'
import {
  type EnergyBalance,
  type EnergyBalanceQuestion,
  energyBalance,
  type UserEnergySummary,
  type UserSummariesQuestion,
  userEnergySummaries,
} from './user-energy.js'

export interface AnalyticsParts {
  readonly rollUps: RollUpEntities
  readonly ledger: Ledger
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
  readonly users: Reader<User>
  readonly costVersions: Reader<CostVersion>
  /** Where reports are kept; left out, each is made anew. */
  readonly cache?: AnalyticsCache | undefined
}

/**
 * Answers from the roll-ups. Energy is in kWh, from whole milliwatt-seconds that are divided once; money is exact until it
 * is rounded once, and never added up across currencies; days, months and hours of the day are those of each classroom's
 * time zone. Classrooms may be named by their ids or their names. The work grows with devices times days (or months), never with ledger entries. Every question throws a
 * ValidationError where it is not one.
 */
export class AnalyticsService {
  readonly #database: Database
  readonly #reader: RollUpReader
  readonly #lookup: DeviceLookup
  readonly #reports: Reports
  readonly #parts: AnalyticsParts
  readonly #names: ClassroomNames
  readonly #completeness: Completeness

  constructor(database: Database, parts: AnalyticsParts) {
    this.#database = database
    this.#reader = new RollUpReader(database, parts.rollUps)
    this.#lookup = new DeviceLookup(parts.classrooms, parts.devices, database.clock)
    this.#reports = new Reports(parts.cache)
    this.#parts = parts
    this.#names = new ClassroomNames(parts.classrooms)
    this.#completeness = new Completeness(database, parts.ledger)
  }

  /** What each classroom used on each day; by day, then by energy. Reads one index key for each device and day. */
  dailyByClassroom(question: DaysQuestion): Promise<Answer<ClassroomConsumption[]>> {
    return this.#completeness.of(async () => {
      return this.#reports.report(
        'daily_consumption',
        daysQuestionSchema,
        await this.#names.resolve(question),
        (parsed) => dailyByClassroom(this.#reader, parsed),
      )
    })
  }

  /** What was used on each day. Reads one index key for each device and day. */
  dailySummaries(question: DaysQuestion): Promise<Answer<DailySummary[]>> {
    return this.#completeness.of(async () => {
      return dailySummaries(this.#reader, await this.#names.resolve(question))
    })
  }

  /** What was used in each month, and on how many days. Reads one index key for each device and month, and one for each day. */
  monthlyTrends(question: MonthsQuestion): Promise<Answer<MonthlyTrend[]>> {
    return this.#completeness.of(async () => {
      return this.#reports.report(
        'monthly_trends',
        monthsQuestionSchema,
        await this.#names.resolve(question),
        (parsed) => monthlyTrends(this.#reader, parsed),
      )
    })
  }

  /**
   * What was used in each hour of the day, by energy; hours in which nothing was used are left out. A whole month reads a
   * document for each device; of other ranges, whole months do, and the days around them are read with their hours.
   */
  peakHours(question: DaysQuestion): Promise<Answer<PeakHour[]>> {
    return this.#completeness.of(async () => {
      return this.#reports.report('peak_hours', daysQuestionSchema, await this.#names.resolve(question), (parsed) =>
        peakHours(this.#reader, parsed),
      )
    })
  }

  /** How each device used energy, by energy. A whole month reads one index key for each device, others a document for each day. */
  deviceEfficiency(question: DaysQuestion): Promise<Answer<DeviceEfficiency[]>> {
    return this.#completeness.of(async () => {
      return this.#reports.report(
        'efficiency_report',
        daysQuestionSchema,
        await this.#names.resolve(question),
        (parsed) => deviceEfficiency(this.#reader, parsed),
      )
    })
  }

  /** A page of {@link deviceEfficiency}, of 50 devices by default. */
  deviceEfficiencyPage(question: DeviceEfficiencyQuestion): Promise<Answer<Page<DeviceEfficiency>>> {
    return this.#completeness.of(async () => {
      return deviceEfficiencyPage(this.#reader, await this.#names.resolve(question))
    })
  }

  /** How a device did over the last days, 7 by default. @throws NotFoundError if there is no such device. */
  devicePerformance(question: DevicePerformanceQuestion): Promise<Answer<DevicePerformance>> {
    return this.#completeness.of(async () => {
      return devicePerformance(this.#reader, this.#lookup, question)
    })
  }

  /** What a user's devices used and gave over the last days, 30 by default; zeros where there is nothing. */
  energyBalance(question: EnergyBalanceQuestion): Promise<Answer<EnergyBalance>> {
    return this.#completeness.of(async () => {
      return energyBalance(this.#reader, this.#lookup, question)
    })
  }

  /** A page of users with what their devices, as they are owned now, used and gave; zeros for users without any. */
  userEnergySummaries(question: UserSummariesQuestion): Promise<Answer<Page<UserEnergySummary>>> {
    return this.#completeness.of(async () => {
      return userEnergySummaries(this.#reader, this.#lookup, this.#parts.users, question)
    })
  }

  /**
   * Energy, cost and CO2 by day or month; under another tariff if one is named, at the prices in force then. Reads index keys;
   * another tariff reads the hours of each device and day.
   * @throws NotFoundError if there is no such tariff.
   */
  costs(question: CostsQuestion): Promise<Answer<PeriodCosts[]>> {
    return this.#completeness.of(async () => {
      return costs(this.#reader, this.#parts.costVersions, await this.#names.resolve(question))
    })
  }

  /** A range of days and the one of the same length just before it. */
  compareWithPrevious(question: DaysQuestion): Promise<Answer<Comparison>> {
    return this.#completeness.of(async () => {
      return compareWithPrevious(this.#reader, await this.#names.resolve(question))
    })
  }

  /** Who used most: devices, classrooms or switches. By switch it reads a document for each device and day. */
  topConsumers(question: TopConsumersQuestion): Promise<Answer<Consumer[]>> {
    return this.#completeness.of(async () => {
      return this.#reports.report('top_consumers', topConsumersSchema, await this.#names.resolve(question), (parsed) =>
        topConsumers(this.#reader, parsed),
      )
    })
  }

  /**
   * What was used in each step of time, every step of the range. Hours come from roll-ups, finer steps from the ledger, for at
   * most 200 switches: that work grows with their entries.
   */
  loadCurve(question: LoadCurveQuestion): Promise<Answer<LoadPoint[]>> {
    return this.#completeness.of(async () => {
      const { ledger } = this.#parts
      const parts = { database: this.#database, reader: this.#reader, lookup: this.#lookup, ledger }
      return loadCurve(parts, await this.#names.resolve(question))
    })
  }

  /** What each classroom uses in hours in which its load stays at its floor: what switching off would save. */
  idleUse(question: IdleUseQuestion): Promise<Answer<IdleUse[]>> {
    return this.#completeness.of(async () => {
      return this.#reports.report('idle_use', idleUseSchema, await this.#names.resolve(question), (parsed) =>
        idleUse(this.#reader, this.#lookup, parsed),
      )
    })
  }

  /** Hours that are not as the same hour of the same weekday was in the weeks before, the strangest first. */
  anomalies(question: AnomaliesQuestion): Promise<Answer<Anomaly[]>> {
    return this.#completeness.of(async () => {
      return anomalies(this.#reader, this.#lookup, await this.#names.resolve(question))
    })
  }

  /** The next days, each as the mean of the same weekday in the last weeks, with the error of that on days that are known. */
  forecast(question: ForecastQuestion = {}): Promise<Answer<Forecast>> {
    return this.#completeness.of(async () => {
      return forecast(this.#reader, this.#lookup, await this.#names.resolve(question))
    })
  }

  /** Until when answers are complete: what the ledger had then is in them. Null where nobody ever kept the roll-ups. */
  completeUntil(): Promise<Date | null> {
    return this.#completeness.until()
  }

  /** The hours of switches in InfluxDB's line protocol; memory does not grow with their number. */
  async *lineProtocol(question: LineProtocolQuestion): AsyncGenerator<string, void, undefined> {
    yield* lineProtocol(this.#reader, await this.#names.resolve(question))
  }
}
