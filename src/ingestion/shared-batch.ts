import type { Activity } from '../activity/activity.js'
import type { DeviceSwitch } from '../devices/device.js'
import { isInQuarterHours } from '../energy/registers/touched-quarter.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import { activityOf } from './activity-of.js'
import { isAuthentic } from './credential.js'
import type { KnownDevice } from './device-directory.js'
import { type Instant, instantOf, notAReading, readingEvent, type SwitchFact, switchEvent } from './ledger-event.js'
import type { IngestionParts } from './pipeline.js'
import type { PresenceMemory } from './presence-memory.js'
import { Presences } from './presences.js'
import type { RawMessage, Refusal } from './quarantine-store.js'
import type { DeviceReport, ReadingReport, SwitchReport } from './report.js'
import { SeriesBatch } from './series-batch.js'
import type { TelemetryMemory } from './telemetry-memory.js'

type Reason = Pick<Refusal, 'reason' | 'detail'>

/** A report that is its device's, and when what it tells happened. */
export interface Heard {
  readonly message: RawMessage
  readonly report: DeviceReport
  readonly device: KnownDevice
  readonly instant: Instant
  readonly arrivalMs: number
}

/** What a batch of messages comes to that carry time, boot, sequence and identity of their own. */
export class SharedBatch {
  readonly events: LedgerEvent[] = []
  readonly activities: Omit<Activity, '_id'>[] = []
  readonly refusals: Refusal[] = []
  readonly presences = new Presences()
  readonly series: SeriesBatch
  readonly #parts: IngestionParts
  readonly #memory: PresenceMemory
  readonly prices: Prices

  constructor(parts: IngestionParts, memory: PresenceMemory, telemetry: TelemetryMemory, prices: Prices) {
    this.series = new SeriesBatch(parts.series, telemetry)
    this.#parts = parts
    this.#memory = memory
    this.prices = prices
  }

  refuse(message: RawMessage, { device }: DeviceReport, reason: Reason): void {
    this.refusals.push({ message, ...reason, macAddress: 'macAddress' in device ? device.macAddress : undefined })
  }

  /** The report with its device; refused, and undefined, if it is no registered device's. */
  hear(message: RawMessage, report: DeviceReport): Heard | undefined {
    const { directory, earliestCredibleMs } = this.#parts
    const device = directory.find(report.device)
    if (device === undefined) {
      this.refuse(message, report, { reason: 'unknown_device', detail: 'no device is registered with this address' })
      return undefined
    }
    if (!isAuthentic(report.credential, directory.secretOf(device))) {
      this.refuse(message, report, { reason: 'unauthorized', detail: 'the signature is wrong or missing' })
      return undefined
    }
    const arrivalMs = message.receivedAt.getTime()
    const instant = instantOf(report.time, device.timeZone, arrivalMs, earliestCredibleMs)
    return { message, report, device, instant, arrivalMs }
  }

  take(heard: Heard): void {
    this.#notePresence(heard)
    const { message, report } = heard
    const reason =
      report.kind === 'switch'
        ? this.#takeSwitch(report, heard)
        : report.kind === 'reading'
          ? this.#takeReading(report, heard)
          : this.series.takeTelemetry(heard, message.isRetained === true)
    if (reason !== undefined) this.refuse(message, report, reason)
  }

  #takeSwitch(report: SwitchReport, heard: Heard): Reason | undefined {
    const { device, instant, arrivalMs } = heard
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const fact = this.#factOf(report, heard, report.on)
    this.events.push(switchEvent(device, target, fact))
    this.activities.push(
      activityOf(report, device, target, { atMs: instant.atMs, arrivalMs, key: fact.idempotencyKey }),
    )
    this.#noteState(heard, target, report.on)
    return undefined
  }

  #takeReading(report: ReadingReport, heard: Heard): Reason | undefined {
    const { device } = heard
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const reason = notAReading(report)
    if (reason !== undefined) return { reason: 'not_a_reading', detail: reason }
    const fact = this.#factOf(report, heard, report.on ?? report.powerW !== 0)
    if (!isInQuarterHours(device.document, target)) this.events.push(readingEvent(device, target, fact, report))
    this.series.takeReading(report, target, heard)
    if (report.on !== undefined) this.#noteState(heard, target, report.on)
    return undefined
  }

  #factOf({ messageId, boot, sequence, firmwareVersion }: DeviceReport, heard: Heard, on: boolean): SwitchFact {
    return {
      on,
      instant: heard.instant,
      arrivalMs: heard.arrivalMs,
      prices: this.prices,
      idempotencyKey: `v2:${messageId ?? `${boot}:${sequence}`}`,
      boot,
      sequence,
      firmwareVersion,
    }
  }

  #noteState({ device, instant }: Heard, target: DeviceSwitch, state: boolean): void {
    this.presences.state(device, { switchId: target._id, state, stateAt: new Date(instant.atMs) })
  }

  #notePresence({ message, report, device, instant, arrivalMs }: Heard): void {
    if (report.kind === 'status') {
      // An `offline` is the broker's word, and a message that it had kept is an old one: neither shows that the device is there.
      this.presences.status(device, report.online ? 'online' : 'offline', arrivalMs)
      if (report.online && message.isRetained !== true) this.presences.seen(device, arrivalMs)
      return
    }
    const { boot, firmwareVersion } = report
    const isNewBoot = boot !== undefined && this.#isLaterBoot(boot, device, instant)
    if (!isNewBoot && !this.presences.has(device) && !this.#memory.isDue(device, arrivalMs)) return
    this.presences.seen(device, arrivalMs)
    this.presences.alive(device, instant.atMs)
    this.presences.status(device, 'online', arrivalMs)
    if (isNewBoot) this.presences.started(device, { id: boot, startedAt: new Date(instant.atMs) })
    if (firmwareVersion !== undefined) this.presences.firmware(device, firmwareVersion)
  }

  /** Whether the device has started since: a message of an earlier run may come late. */
  #isLaterBoot(boot: string, device: KnownDevice, { atMs }: Instant): boolean {
    const known = this.presences.bootOf(device) ?? this.#memory.bootOf(device)
    return known === undefined || (known.id !== boot && known.startedAt.getTime() <= atMs)
  }
}

function unknownSwitch({ gpio }: SwitchReport | ReadingReport): Reason {
  return { reason: 'unknown_switch', detail: `the device has no switch with gpio ${gpio}` }
}
