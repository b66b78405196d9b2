import { Reader } from '../core/repository/reader.js'
import { Repository } from '../core/repository/repository.js'
import type { classroomEntity } from '../devices/classroom.js'
import type { deviceEntity } from '../devices/device.js'
import { DeviceRepository } from '../devices/device-repository.js'
import type { costVersionEntity } from '../energy/tariffs/cost-version.js'
import { PriceBookReader } from '../energy/tariffs/price-book.js'
import { DeviceDirectory } from '../ingestion/device-directory.js'
import type { IngestionParts } from '../ingestion/pipeline.js'
import type { quarantineEntity } from '../ingestion/quarantine.js'
import { QuarantineStore } from '../ingestion/quarantine-store.js'
import { DEFAULT_EARLIEST_CREDIBLE_MS } from '../metering/index.js'
import type { IngestionHandle, IngestionOptions } from './ingestion-options.js'

/** What pipelines work with, of a handle. */
export function partsOf(
  volt: IngestionHandle,
  options: Pick<IngestionOptions, 'earliestCredibleTime' | 'measurements' | 'telemetry'> = {},
): IngestionParts {
  const { database } = volt
  const devices = new DeviceRepository(database, volt.entityOf('devices') as typeof deviceEntity)
  return {
    database,
    devices,
    directory: new DeviceDirectory(
      devices,
      new Reader(database, volt.entityOf('classrooms') as typeof classroomEntity),
      database.clock,
    ),
    prices: new PriceBookReader(
      database,
      volt.entityOf('costVersions') as typeof costVersionEntity,
      volt.powerSettings,
    ),
    ledger: volt.ledger,
    activities: volt.activities,
    quarantine: new QuarantineStore(
      database,
      new Repository(database, volt.entityOf('quarantine') as typeof quarantineEntity),
      volt.entityOf('ingestCounters').collection,
    ),
    series: {
      measurements: volt.measurements,
      everyReading: options.measurements === true,
      telemetry: options.telemetry === true ? volt.telemetry : undefined,
    },
    earliestCredibleMs: options.earliestCredibleTime?.getTime() ?? DEFAULT_EARLIEST_CREDIBLE_MS,
  }
}
