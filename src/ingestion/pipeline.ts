import type { ActivityLog } from '../activity/activity-log.js'
import type { Database } from '../core/database.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import type { PriceBookReader } from '../energy/tariffs/price-book.js'
import type { Ledger } from '../ledger/ledger.js'
import type { DeviceDirectory } from './device-directory.js'
import type { QuarantineStore, RawMessage } from './quarantine-store.js'
import type { Decoding, DeviceReport } from './report.js'
import type { SeriesStores } from './series-batch.js'

/** What pipelines work with. */
export interface IngestionParts {
  readonly database: Database
  readonly devices: DeviceRepository
  readonly directory: DeviceDirectory
  readonly prices: PriceBookReader
  readonly ledger: Ledger
  readonly activities: ActivityLog
  readonly quarantine: QuarantineStore
  /** Where readings and telemetry go besides. */
  readonly series: SeriesStores
  /** Instants before this one are not taken for a device's time, epoch milliseconds. */
  readonly earliestCredibleMs: number
}

/** What has become of messages, since the start. */
export class IngestionCounters {
  processed = 0
  /** New ledger entries. */
  entries = 0
  /** Events whose entry was there already. */
  repeated = 0
  quarantined = 0
}

/** A message with what its decoder made of it. */
export interface Decoded<Message extends RawMessage = RawMessage> {
  readonly message: Message
  readonly decoding: Decoding
}

/** What the messages report, in one list. */
export function reportsOf(batch: readonly Decoded[]): DeviceReport[] {
  return batch.flatMap(({ decoding }) => ('reports' in decoding ? decoding.reports : []))
}
