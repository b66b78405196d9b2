import type { TelemetryEvent } from '../energy/measurement/telemetry-event.js'
import { type Budget, BudgetedMap, bytesOfText } from './budget.js'
import type { ReceivedReport } from './received-report.js'
import type { DeviceReport } from './report.js'

type Flags = NonNullable<TelemetryEvent['quality_flags']>

/** A device's time this far ahead of the arrival is a clock that is wrong; behind it, a message that waited. */
const driftMs = 5_000
const rememberedKeys = 64
const maximumBytes = 16 * 1024 * 1024

interface Remembered {
  latestMs: number
  readonly keys: Set<string>
}

/** Telemetry memory: what this process has received of devices, to recognise what is odd about the next report. */
export class TelemetryMemory {
  readonly #devices = new BudgetedMap<Remembered>(maximumBytes, ({ keys }) => {
    return [...keys].reduce((bytes, key) => bytes + 50 + bytesOfText(key), 0)
  })

  get budget(): Budget {
    return this.#devices.budget
  }

  /** What is odd about the report, as far as this process can tell; notes it. */
  flagsOf({ report, device, instant, arrivalMs }: ReceivedReport): Flags {
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

  /** Forgets what was received: it has not become durable, and will be received again. */
  forget(): void {
    this.#devices.clear()
  }

  #note(key: string, known: Remembered | undefined, atMs: number, identity: string | undefined): void {
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
