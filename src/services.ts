import { ActivityLog } from './activity/activity-log.js'
import { AuditLog } from './activity/audit-log.js'
import type { Database } from './core/database.js'
import type { Entity, Input, Stored } from './core/entity.js'
import { Reader } from './core/repository/reader.js'
import { Repository } from './core/repository/repository.js'
import type { Classroom } from './devices/classroom.js'
import type { Device } from './devices/device.js'
import { DeviceRepository } from './devices/device-repository.js'
import { AnalyticsService } from './energy/analytics/analytics-service.js'
import { AnalyticsCache } from './energy/cache/analytics-cache.js'
import { Intervals } from './energy/consumption/intervals.js'
import type { PowerConsumption, PowerConsumptionInput } from './energy/consumption/power-consumption.js'
import { EnergyService } from './energy/energy-service.js'
import { MeasurementStore } from './energy/measurement/measurement-store.js'
import { TelemetryStore } from './energy/measurement/telemetry-store.js'
import { RegisterMarkStore } from './energy/registers/mark-store.js'
import { RegisterKeeper } from './energy/registers/register-keeper.js'
import { invalidateDays } from './energy/rollups/cache-invalidation.js'
import { RollUps } from './energy/rollups/rollups.js'
import { PowerSettingsRepository } from './energy/tariffs/power-settings-repository.js'
import { PriceBookReader } from './energy/tariffs/price-book.js'
import { PriceSource } from './energy/tariffs/price-source.js'
import { Tariffs } from './energy/tariffs/tariffs.js'
import type { CollectionKey, LibraryEntities } from './entities.js'
import type { User, UserInput } from './identity/user.js'
import { QuarantineReader } from './ingestion/quarantine-reader.js'
import { Ledger } from './ledger/ledger.js'
import { type LedgerLogOptions, ledgerLogOf } from './ledger/log/log-options.js'

/** How the services of a handle are to work. */
export interface ServiceOptions {
  /** Who signs the ledger's checkpoints, who may have, and where they are kept outside the database. */
  readonly ledgerLog?: LedgerLogOptions
  /**
   * Keeps the heavy reports of `analytics` in the cache, until an hour has passed or their roll-ups change.
   * @default false
   */
  readonly cacheReports?: boolean
}

/** The repositories and services of one database, each built on those before it. */
export abstract class Services<Devices extends Entity<Device>, Classrooms extends Entity<Classroom>> {
  /** What repositories of the host's own, and adapters, are built on. */
  readonly database: Database
  readonly users: Repository<User, UserInput>
  readonly classrooms: Repository<Stored<Classrooms>, Input<Classrooms>>
  readonly devices: DeviceRepository<Stored<Devices>, Input<Devices>>
  readonly powerSettings: PowerSettingsRepository
  /** What energy costs, and since when. */
  readonly tariffs: Tariffs
  /** What was consumed, as hosts have kept it before there was a ledger. */
  readonly powerConsumption: Repository<PowerConsumption, PowerConsumptionInput>
  readonly ledger: Ledger
  readonly measurements: MeasurementStore
  readonly telemetry: TelemetryStore
  /** Takes the registers of devices whose readings go to the ledger only by quarter hours. */
  readonly registers: RegisterKeeper
  /** Intervals of consumption: derived from the ledger, and written down by hand. */
  readonly intervals: Intervals
  readonly energy: EnergyService
  readonly analyticsCache: AnalyticsCache
  /** Hours, days and months of energy and cost. */
  readonly rollUps: RollUps
  /** Answers from the roll-ups. */
  readonly analytics: AnalyticsService
  readonly activities: ActivityLog
  /** Who changed what others rest on, such as a price. */
  readonly auditLog: AuditLog
  /** Messages that ingestion could not use. */
  readonly quarantine: QuarantineReader

  protected constructor(database: Database, chosen: Readonly<Record<CollectionKey, Entity>>, options: ServiceOptions) {
    const entities = chosen as LibraryEntities
    this.database = database
    this.users = new Repository(database, entities.users)
    this.classrooms = new Repository(
      database,
      entities.classrooms as unknown as Entity<Stored<Classrooms>, Input<Classrooms>>,
    )
    this.devices = new DeviceRepository(
      database,
      entities.devices as unknown as Entity<Stored<Devices>, Input<Devices>>,
    )
    this.auditLog = new AuditLog(database, entities.auditLogs)
    this.tariffs = new Tariffs(database, {
      costVersions: entities.costVersions,
      heads: entities.tariffs,
      recostings: entities.recostings,
      auditLog: this.auditLog,
    })
    this.powerSettings = new PowerSettingsRepository(database, entities.powerSettings, this.tariffs)
    this.powerConsumption = new Repository(database, entities.powerConsumption)
    this.ledger = new Ledger(database, entities.ledger, {
      ...ledgerLogOf(options.ledgerLog),
      anchorEntity: entities.ledgerAnchors,
      collections: {
        checkpoints: entities.ledgerCheckpoints.collection,
        tiles: entities.ledgerTiles.collection,
        segments: entities.ledgerSegments.collection,
        personalData: entities.ledgerPersonalData.collection,
        archives: entities.ledgerArchives.collection,
        seams: entities.ledgerSeams.collection,
      },
    })
    this.analyticsCache = new AnalyticsCache(database, entities.analyticsCache)
    this.activities = new ActivityLog(database, entities.activities)
    this.quarantine = new QuarantineReader(database, entities.quarantine)
    const devices = this.devices as unknown as Reader<Device>
    const registerMarks = new RegisterMarkStore(database, entities.registerMarks)
    this.measurements = new MeasurementStore(database, {
      measurements: entities.measurements,
      marks: entities.measurementMarks,
      devices,
      registerMarks,
    })
    const { expireAfterSeconds } = entities.measurements.timeSeries ?? {}
    this.registers = new RegisterKeeper(database, {
      ledger: this.ledger,
      measurements: this.measurements,
      marks: registerMarks,
      devices,
      classrooms: this.classrooms as unknown as Reader<Classroom>,
      prices: new PriceSource(
        {
          tariffs: new Reader(database, entities.tariffs),
          costVersions: this.tariffs,
          powerSettings: this.powerSettings,
        },
        database.clock,
      ),
      measurementsExpireMs: expireAfterSeconds === undefined ? undefined : expireAfterSeconds * 1000,
    })
    this.telemetry = new TelemetryStore(database, { events: entities.telemetry, devices })
    const prices = new PriceBookReader(database, entities.costVersions)
    this.intervals = new Intervals(database, entities.intervals, {
      ledger: this.ledger,
      turns: entities.intervalTurns,
      classrooms: this.classrooms as unknown as Reader<Classroom>,
      devices,
      prices,
    })
    this.energy = new EnergyService(database, {
      ledger: this.ledger,
      prices,
      classrooms: this.classrooms as unknown as Reader<Classroom>,
      devices,
    })
    this.rollUps = new RollUps(database, {
      ledger: this.ledger,
      entities: {
        daily: entities.dailyAggregates,
        monthly: entities.monthlyAggregates,
        cursors: entities.rollUpCursors,
      },
      places: {
        classrooms: this.classrooms as unknown as Reader<Classroom>,
        devices,
      },
      recostings: entities.recostings,
      prices,
      onChanged: (days) => invalidateDays(this.analyticsCache, days),
    })
    this.analytics = new AnalyticsService(database, {
      rollUps: { daily: entities.dailyAggregates, monthly: entities.monthlyAggregates },
      ledger: this.ledger,
      classrooms: this.classrooms as unknown as Reader<Classroom>,
      devices: this.devices as unknown as Reader<Device>,
      users: this.users,
      costVersions: new Reader(database, entities.costVersions),
      cache: options.cacheReports ? this.analyticsCache : undefined,
    })
  }
}
