import type { KnownDevice } from './device-directory.js'
import type { Instant } from './ledger-event.js'
import type { DeviceReport } from './report.js'

/** A report with its known device, its arrival and the instant of what it reports. */
export interface ReceivedReport {
  readonly report: DeviceReport
  readonly device: KnownDevice
  readonly instant: Instant
  readonly arrivalMs: number
}
