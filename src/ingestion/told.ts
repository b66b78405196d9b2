import type { KnownDevice } from './device-directory.js'
import type { Instant } from './ledger-event.js'
import type { DeviceReport } from './report.js'

/** A report of a device, and when what it tells happened. */
export interface Told {
  readonly report: DeviceReport
  readonly device: KnownDevice
  readonly instant: Instant
  readonly arrivalMs: number
}
