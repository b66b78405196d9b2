import type { ActivityLog } from '../activity/activity-log.js'
import type { DeviceLog } from '../activity/device-log.js'
import type { Commands } from '../commands/commands.js'
import type { Database } from '../core/database.js'
import type { Reader } from '../core/repository/reader.js'
import { Repository } from '../core/repository/repository.js'
import type { Classroom } from '../devices/classroom.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import type { MeasurementStore } from '../energy/measurement/measurement-store.js'
import type { TelemetryStore } from '../energy/measurement/telemetry-store.js'
import type { PriceBookReader } from '../energy/tariffs/price-book.js'
import type { FirmwareService } from '../firmware/firmware-service.js'
import type { Ledger } from '../ledger/ledger.js'
import { DEFAULT_EARLIEST_CREDIBLE_MS } from '../metering/index.js'
import { DeviceDirectory } from './device-directory.js'
import { DeviceNotes } from './device-notes.js'
import { RunStore } from './freshness/run-store.js'
import type { lifeSpanEntity } from './life/life-span-entity.js'
import { LifeStore } from './life/life-store.js'
import type { ingestCounterEntity, quarantineEntity } from './quarantine.js'
import { defaultQuarantineLimits, type QuarantineLimits, QuarantineSpace } from './quarantine-space.js'
import { QuarantineStore } from './quarantine-store.js'
import { RepeatedHours } from './repeated-hour/repeated-hours.js'
import type { SeriesStores } from './series-batch.js'

/** Ingestion parts: what pipelines work with. */
export interface IngestionParts {
  readonly database: Database
  readonly devices: DeviceRepository
  readonly directory: DeviceDirectory
  readonly lives: LifeStore
  readonly repeatedHours: RepeatedHours
  readonly runs: RunStore
  readonly prices: PriceBookReader
  readonly ledger: Ledger
  readonly activities: ActivityLog
  /** What is logged of devices besides. */
  readonly deviceNotes: DeviceNotes
  readonly commandAnswers: Commands['answers']
  readonly firmware: Pick<FirmwareService, 'reportFailure'>
  readonly quarantine: QuarantineStore
  /** Where readings and telemetry go besides. */
  readonly series: SeriesStores
  /** Instants before this one are not taken for a device's time, epoch milliseconds. */
  readonly earliestCredibleMs: number
}

/** What ingestion needs of other domains. */
export interface IngestionNeeds {
  readonly devices: DeviceRepository
  readonly classrooms: Reader<Classroom>
  readonly prices: PriceBookReader
  readonly ledger: Ledger
  readonly activities: ActivityLog
  readonly deviceLogs: DeviceLog
  readonly commands: Commands
  readonly firmware: Pick<FirmwareService, 'reportFailure'>
  readonly measurements: MeasurementStore
  readonly telemetry: TelemetryStore
}

interface PartEntities {
  readonly quarantine: typeof quarantineEntity
  readonly ingestCounters: typeof ingestCounterEntity
  readonly lifeSpans: typeof lifeSpanEntity
}

/** Ingestion part options: how the pipelines of an adapter are to work. */
export interface IngestionPartOptions {
  /** Device times before this one are not believed. @default 2020-01-01 */
  readonly earliestCredibleTime?: Date
  /** Whether readings also go to the measurements. @default false */
  readonly measurements?: boolean
  /** Whether heartbeats, status and values of sensors go to the telemetry. @default false */
  readonly telemetry?: boolean
  readonly quarantine?: Partial<QuarantineLimits>
}

/** The parts of pipelines, made for one adapter: its limits and its memory of devices are its own. */
export function ingestionPartsOf(
  database: Database,
  entities: PartEntities,
  needs: IngestionNeeds,
  options: IngestionPartOptions,
): IngestionParts {
  const { devices, classrooms, prices, ledger, activities, deviceLogs, commands, firmware, measurements, telemetry } =
    needs
  const deviceDocuments = database.of(devices.entity)
  const directory = new DeviceDirectory(devices, classrooms, database.clock)
  const limits = { ...defaultQuarantineLimits, ...options.quarantine }
  const counters = database.of(entities.ingestCounters)
  const space = new QuarantineSpace(database, database.of(entities.quarantine), counters, limits)
  return {
    database,
    devices,
    directory,
    lives: new LifeStore(deviceDocuments, database.of(entities.lifeSpans)),
    runs: new RunStore(deviceDocuments),
    repeatedHours: new RepeatedHours(database, deviceDocuments),
    prices,
    ledger,
    activities,
    deviceNotes: new DeviceNotes(deviceLogs),
    commandAnswers: commands.answers,
    firmware,
    quarantine: new QuarantineStore(database, new Repository(database, entities.quarantine), space, directory),
    series: {
      measurements,
      everyReading: options.measurements === true,
      telemetry: options.telemetry === true ? telemetry : undefined,
    },
    earliestCredibleMs: options.earliestCredibleTime?.getTime() ?? DEFAULT_EARLIEST_CREDIBLE_MS,
  }
}
