import type { AuditLog } from '../activity/audit-log.js'
import type { Database } from '../core/database.js'
import { DatabaseError } from '../core/errors.js'
import type { InputIn, StoredIn } from '../core/extension.js'
import type { Reader } from '../core/repository/reader.js'
import { Repository } from '../core/repository/repository.js'
import type { Classroom } from '../devices/classroom.js'
import type { Device } from '../devices/device.js'
import type { User } from '../identity/user.js'
import type { Ledger } from '../ledger/ledger.js'
import { AnalyticsService } from './analytics/analytics-service.js'
import { AnalyticsCache } from './cache/analytics-cache.js'
import { cacheEntryEntity } from './cache/cache-entry.js'
import { deviceConsumptionEntity } from './consumption/device-consumption.js'
import { intervalRevisionEntity } from './consumption/interval-revision.js'
import { Intervals } from './consumption/intervals.js'
import {
  type PowerConsumption,
  type PowerConsumptionInput,
  powerConsumptionEntity,
} from './consumption/power-consumption.js'
import { EnergyService } from './energy-service.js'
import { measurementEntity, measurementEntityOf } from './measurement/measurement.js'
import { measurementMarkEntity, measurementMarkEntityOf } from './measurement/measurement-mark.js'
import { MeasurementStore } from './measurement/measurement-store.js'
import { telemetryEventEntity, telemetryEventEntityOf } from './measurement/telemetry-event.js'
import { TelemetryStore } from './measurement/telemetry-store.js'
import { registerMarkEntity } from './register-marks/register-mark.js'
import { RegisterMarkStore } from './register-marks/register-mark-store.js'
import { RegisterUpdater } from './registers/register-updater.js'
import { dailyAggregateEntity } from './roll-ups/daily-aggregate.js'
import { invalidateDays } from './roll-ups/invalidate-days.js'
import { monthlyAggregateEntity } from './roll-ups/monthly-aggregate.js'
import { rollUpCursorEntity } from './roll-ups/roll-up-cursor.js'
import { RollUps } from './roll-ups/roll-ups.js'
import { costVersionEntity } from './tariffs/cost-version.js'
import { powerSettingsEntity } from './tariffs/power-settings.js'
import { PowerSettingsRepository } from './tariffs/power-settings-repository.js'
import { PriceBookReader } from './tariffs/price-book.js'
import { recostingEntity } from './tariffs/recosting.js'
import { tariffHeadEntity } from './tariffs/tariff-head.js'
import { Tariffs } from './tariffs/tariffs.js'

export type EnergyCollection =
  | 'powerSettings'
  | 'costVersions'
  | 'tariffs'
  | 'recostings'
  | 'powerConsumption'
  | 'intervals'
  | 'intervalRevisions'
  | 'measurements'
  | 'measurementMarks'
  | 'registerMarks'
  | 'telemetry'
  | 'analyticsCache'
  | 'dailyAggregates'
  | 'monthlyAggregates'
  | 'rollUpCursors'

export const energyEntities = {
  powerSettings: powerSettingsEntity,
  costVersions: costVersionEntity,
  tariffs: tariffHeadEntity,
  recostings: recostingEntity,
  powerConsumption: powerConsumptionEntity,
  intervals: deviceConsumptionEntity,
  intervalRevisions: intervalRevisionEntity,
  measurements: measurementEntity,
  measurementMarks: measurementMarkEntity,
  registerMarks: registerMarkEntity,
  telemetry: telemetryEventEntity,
  analyticsCache: cacheEntryEntity,
  dailyAggregates: dailyAggregateEntity,
  monthlyAggregates: monthlyAggregateEntity,
  rollUpCursors: rollUpCursorEntity,
} satisfies Record<EnergyCollection, object>

/** Retention: how long what grows with time is kept, seconds; for ever where it is left out. */
export interface Retention {
  /** At least 1; counted from the `timestamp`. */
  readonly measurements?: number
  readonly telemetry?: number
}

export interface EnergyOptions {
  /**
   * Seconds after which measurements and telemetry go; `setup()` sets it, also on collections that are there.
   * @default never
   */
  readonly expireAfterSeconds?: Retention
  /**
   * Keeps the heavy reports of `analytics` in the cache, until an hour has passed or their roll-ups change.
   * @default false
   */
  readonly cacheReports?: boolean
}

/** Energy services: what energy brings to the handle. */
export interface EnergyServices<Extended = object> {
  /** Prices and energy settings by name; `default` is the one that a host without tariffs has. */
  readonly powerSettings: PowerSettingsRepository
  /** What energy costs, and since when. */
  readonly tariffs: Tariffs
  /** What was consumed, as hosts have kept it before there was a ledger. */
  readonly powerConsumption: Repository<
    StoredIn<Extended, 'powerConsumption', PowerConsumption>,
    InputIn<Extended, 'powerConsumption', PowerConsumptionInput>
  >
  /** Raw measured values by time. */
  readonly measurements: MeasurementStore
  /** What devices report besides energy, by time. */
  readonly telemetry: TelemetryStore
  /** Takes the registers of devices whose readings go to the ledger only by quarter hours. */
  readonly registers: RegisterUpdater
  /** Intervals of consumption: derived from the ledger, and written down by hand. */
  readonly intervals: Intervals
  /** Energy and cost up to this second. */
  readonly energy: EnergyService
  /** Results that are computed once for all who ask. */
  readonly analyticsCache: AnalyticsCache
  /** Hours, days and months of energy and cost. */
  readonly rollUps: RollUps
  /** Answers from the roll-ups. */
  readonly analytics: AnalyticsService
}

/** Opened energy: what energy has for other domains besides. */
export interface OpenedEnergy extends EnergyServices {
  readonly prices: PriceBookReader
}

/** What energy needs of other domains. */
export interface EnergyNeeds {
  readonly auditLog: AuditLog
  readonly users: Reader<User>
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
  readonly ledger: Ledger
}

export function openEnergy(
  database: Database,
  entities: typeof energyEntities,
  { auditLog, users, classrooms, devices, ledger }: EnergyNeeds,
  options: EnergyOptions,
): OpenedEnergy {
  const { costVersions, recostings } = entities
  const tariffs = new Tariffs(database, { costVersions, heads: entities.tariffs, recostings, auditLog })
  const powerSettings = new PowerSettingsRepository(database, entities.powerSettings, tariffs)
  const prices = new PriceBookReader(database, costVersions, powerSettings)
  const analyticsCache = new AnalyticsCache(database, entities.analyticsCache)
  const registerMarks = new RegisterMarkStore(database, entities.registerMarks)
  const measurements = new MeasurementStore(database, {
    measurements: entities.measurements,
    marks: entities.measurementMarks,
    devices,
    registerMarks,
  })
  const { expireAfterSeconds } = entities.measurements.timeSeries ?? {}
  const { dailyAggregates: daily, monthlyAggregates: monthly, rollUpCursors: cursors } = entities
  return {
    prices,
    powerSettings,
    tariffs,
    powerConsumption: new Repository(database, entities.powerConsumption),
    measurements,
    telemetry: new TelemetryStore(database, { events: entities.telemetry, devices }),
    registers: new RegisterUpdater(database, {
      ledger,
      measurements,
      marks: registerMarks,
      devices,
      classrooms,
      prices,
      measurementsExpireMs: expireAfterSeconds === undefined ? undefined : expireAfterSeconds * 1000,
    }),
    intervals: new Intervals(database, entities.intervals, {
      ledger,
      revisions: entities.intervalRevisions,
      classrooms,
      devices,
      prices,
    }),
    energy: new EnergyService(database, { ledger, prices, classrooms, devices, rollUps: { daily, cursors } }),
    analyticsCache,
    rollUps: new RollUps(database, {
      ledger,
      entities: { daily, monthly, cursors },
      contexts: { classrooms, devices },
      recostings,
      prices,
      onChanged: (days) => invalidateDays(analyticsCache, days),
    }),
    analytics: new AnalyticsService(database, {
      rollUps: { daily, monthly },
      ledger,
      classrooms,
      devices,
      users,
      costVersions: tariffs,
      cache: options.cacheReports ? analyticsCache : undefined,
    }),
  }
}

const longestExpiry = 2 ** 31 - 1

/**
 * The entities of energy, with the time that the host keeps measurements and telemetry for.
 * @throws DatabaseError `CONFIGURATION` for a time that is none.
 */
export function energyEntitiesOf({ expireAfterSeconds = {} }: EnergyOptions): typeof energyEntities {
  const { measurements, telemetry } = expireAfterSeconds
  for (const [key, seconds] of Object.entries(expireAfterSeconds) as [string, number | undefined][]) {
    const isKnown = key === 'measurements' || key === 'telemetry'
    const isTime = seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= longestExpiry)
    if (isKnown && isTime) continue
    const message = `\`expireAfterSeconds\` takes whole numbers from 1 to ${longestExpiry}, for measurements and telemetry`
    throw new DatabaseError('CONFIGURATION', message)
  }
  return {
    ...energyEntities,
    ...(measurements === undefined
      ? {}
      : {
          measurements: measurementEntityOf(measurements),
          measurementMarks: measurementMarkEntityOf(measurements),
        }),
    ...(telemetry === undefined ? {} : { telemetry: telemetryEventEntityOf(telemetry) }),
  }
}
