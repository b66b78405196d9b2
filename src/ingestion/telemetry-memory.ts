import type { TelemetryEvent } from '../energy/measurement/telemetry-event.js'
import type { DeviceReport } from './report.js'
import type { Told } from './told.js'

type Flags = NonNullable<TelemetryEvent['quality_flags']>

/** A device's time this far ahead of the arrival is a clock that is wrong; behind it, a message that waited. */
const driftMs = 5_000
const rememberedKeys = 64
const largestMemory = 100_000

interface Remembered {
  latestMs: number
  readonly keys: Set<string>
}

/** What this process has heard of devices, for what is odd about the next thing that is heard. */
export class TelemetryMemory {
  readonly #devices = new Map<string, Remembered>()

  /** What is odd about the report, as far as this process can tell; notes it. */
  flagsOf({ report, device, instant, arrivalMs }: Told): Flags {
    const { atMs } = instant
    const key = device.id.toHexString()
    const known = this.#devices.get(key)
    const aliveMs = Math.max(known?.latestMs ?? 0, device.document.lastSignOfLifeAt?.getTime() ?? 0)
    const identity = identityOf(report)
    const time_drift = instant.flags.includes('clock_replaced') || atMs - arrivalMs > driftMs
    const out_of_order = known !== undefined && atMs < known.latestMs
    const duplicate = identity !== undefined && known?.keys.has(identity) === true
    const gap_before = aliveMs > 0 && atMs - aliveMs > device.gapLimitMs
    this.#note(key, known, atMs, identity)
    const confidence = instant.flags.length > 0 ? 'low' : time_drift || out_of_order || gap_before ? 'medium' : 'high'
    return { time_drift, out_of_order, duplicate, gap_before, confidence }
  }

  /** Forgets what was heard: it has not become durable, and will be heard again. */
  forget(): void {
    this.#devices.clear()
  }

  #note(key: string, known: Remembered | undefined, atMs: number, identity: string | undefined): void {
    if (known === undefined && this.#devices.size >= largestMemory) this.#devices.clear()
    const remembered = known ?? { latestMs: atMs, keys: new Set() }
    remembered.latestMs = Math.max(remembered.latestMs, atMs)
    if (identity !== undefined) remembered.keys.add(identity)
    const [oldest] = remembered.keys
    if (remembered.keys.size > rememberedKeys && oldest !== undefined) remembered.keys.delete(oldest)
    this.#devices.set(key, remembered)
  }
}

/** The metered loads of one device count their messages each for itself. */
function identityOf(report: DeviceReport): string | undefined {
  if (report.sequence === undefined) return undefined
  return `${report.boot ?? ''}:${report.sequence}:${report.kind === 'reading' ? report.gpio : ''}`
}
