import type { Activity } from '../activity/activity.js'
import { isInQuarterHours } from '../energy/registers/touched-quarter.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import { activityOf } from './activity-of.js'
import { isAuthentic } from './credential.js'
import type { KnownDevice } from './device-directory.js'
import type { Delivery } from './ingest-window-store.js'
import { instantOf, notAReading, readingEvent } from './ledger-event.js'
import type { Arrival, OrderedDevice } from './ordered-device.js'
import type { OrderedDevices } from './ordered-devices.js'
import type { Decoded, IngestionParts } from './pipeline.js'
import { Presences } from './presences.js'
import type { RawMessage, Refusal } from './quarantine-store.js'
import type { DeviceReport, ReadingReport, SnapshotReport, StatusReport, SwitchReport } from './report.js'
import { SeriesBatch } from './series-batch.js'
import type { TelemetryMemory } from './telemetry-memory.js'

/** A message as it was delivered. */
export interface DeliveredMessage extends RawMessage {
  /** Undefined for what cannot be delivered again: QoS 0, and replays. */
  readonly delivery: Delivery | undefined
  readonly digest: string
  /** Since when it may have been waiting for us, epoch milliseconds. */
  readonly heardSinceMs: number
}

type Reason = Pick<Refusal, 'reason' | 'detail'>

/** A message of a known device that has proved to be its own. */
interface Heard {
  readonly message: DeliveredMessage
  readonly device: KnownDevice
  readonly state: OrderedDevice
  readonly arrival: Arrival
}

/** What a batch of messages comes to whose only order is that of their arrival. */
export class OrderedBatch {
  readonly events: LedgerEvent[] = []
  readonly activities: Omit<Activity, '_id'>[] = []
  readonly refusals: Refusal[] = []
  readonly presences = new Presences()
  readonly series: SeriesBatch
  readonly #parts: IngestionParts
  readonly #devices: OrderedDevices
  readonly #prices: Prices

  constructor(parts: IngestionParts, devices: OrderedDevices, telemetry: TelemetryMemory, prices: Prices) {
    this.series = new SeriesBatch(parts.series, telemetry)
    this.#parts = parts
    this.#devices = devices
    this.#prices = prices
  }

  async take({ message, decoding }: Decoded<DeliveredMessage>): Promise<void> {
    if (!('reports' in decoding)) {
      this.refusals.push({ message, ...decoding })
      return
    }
    for (const report of decoding.reports) {
      const reason = await this.#takeReport(message, report)
      const macAddress = 'macAddress' in report.device ? report.device.macAddress : undefined
      if (reason !== undefined) this.refusals.push({ message, ...reason, macAddress })
    }
  }

  /** @returns why the report cannot be used, if it cannot. */
  async #takeReport(message: DeliveredMessage, report: DeviceReport): Promise<Reason | undefined> {
    const { directory } = this.#parts
    const device = directory.find(report.device)
    if (device === undefined) return { reason: 'unknown_device', detail: 'no device is registered with this address' }
    const arrivalMs = message.receivedAt.getTime()
    if (report.kind === 'heartbeat' && report.credential.kind === 'none') {
      this.presences.seen(device, arrivalMs)
      return undefined
    }
    if (!isAuthentic(report.credential, directory.secretOf(device))) {
      return { reason: 'unauthorized', detail: 'the secret is wrong or missing' }
    }
    const instant = instantOf(report.time, device.timeZone, arrivalMs, this.#parts.earliestCredibleMs)
    this.series.takeTelemetry({ report, device, instant, arrivalMs }, message.isRetained === true)
    if (report.kind === 'status') return this.#takeStatus(message, report, device)
    const state = await this.#devices.stateOf(device)
    const reason = this.#takeHeard(report, { message, device, state, arrival: this.#arrivalOf(message) })
    this.#noteLife(device, state, arrivalMs)
    return reason
  }

  /** An `offline` is the broker's word, and a message that it had kept is an old one: neither shows that the device is there. */
  #takeStatus(message: DeliveredMessage, { online }: StatusReport, device: KnownDevice): undefined {
    const arrivalMs = message.receivedAt.getTime()
    this.presences.status(device, online ? 'online' : 'offline', arrivalMs)
    if (online && message.isRetained !== true) this.presences.seen(device, arrivalMs)
  }

  #arrivalOf({ receivedAt, heardSinceMs, delivery, digest }: DeliveredMessage): Arrival {
    return {
      arrivalMs: receivedAt.getTime(),
      heardSinceMs,
      prices: this.#prices,
      mark: delivery === undefined ? digest.slice(0, 16) : delivery.packetId.toString(36),
    }
  }

  #noteLife(device: KnownDevice, { boot }: OrderedDevice, arrivalMs: number): void {
    this.presences.seen(device, arrivalMs)
    this.presences.alive(device, arrivalMs)
    this.presences.status(device, 'online', arrivalMs)
    if (boot !== undefined) this.presences.started(device, { id: boot.id, startedAt: new Date(boot.startedMs) })
  }

  #takeHeard(report: DeviceReport, heard: Heard): Reason | undefined {
    switch (report.kind) {
      case 'snapshot':
        return this.#takeSnapshot(report, heard)
      case 'switch':
        return this.#takeSwitch(report, heard)
      case 'reading':
        return this.#takeReading(report, heard)
      default:
        this.#append(heard.device, heard.state.takeSignOfLife(heard.arrival))
        return undefined
    }
  }

  #takeSnapshot(report: SnapshotReport, { device, state, arrival }: Heard): Reason | undefined {
    this.#append(device, state.takeSnapshot(report, arrival))
    const unknown = report.switches.filter(({ gpio }) => !device.switches.has(gpio)).map(({ gpio }) => gpio)
    if (unknown.length === 0) return undefined
    const detail = `the device has no switch with gpio ${unknown.join(', ')}; the others were taken`
    return { reason: 'unknown_switch', detail }
  }

  #takeSwitch(report: SwitchReport, { device, state, arrival }: Heard): Reason | undefined {
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const { events, atMs, key } = state.takeSwitch(report, target, arrival)
    this.#append(device, events)
    this.activities.push(activityOf(report, device, target, { atMs, arrivalMs: arrival.arrivalMs, key }))
    return undefined
  }

  #takeReading(report: ReadingReport, { message, device, state, arrival }: Heard): Reason | undefined {
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const reason = notAReading(report)
    if (reason !== undefined) return { reason: 'not_a_reading', detail: reason }
    const { arrivalMs, prices, mark } = arrival
    this.#append(device, state.takeSignOfLife(arrival))
    const instant = instantOf(report.time, device.timeZone, arrivalMs, this.#parts.earliestCredibleMs)
    // With a time of its own the message is told by its content; else by its arrival.
    const identity = report.time === undefined ? `${arrivalMs.toString(36)}:${mark}` : message.digest.slice(0, 32)
    const fact = {
      on: report.on ?? report.powerW !== 0,
      instant,
      arrivalMs,
      prices,
      idempotencyKey: `reading:${identity}`,
      sequence: report.sequence,
      firmwareVersion: report.firmwareVersion,
    }
    if (!isInQuarterHours(device.document, target)) this.events.push(readingEvent(device, target, fact, report))
    this.series.takeReading(report, target, { report, device, instant, arrivalMs })
    if (report.on !== undefined) {
      this.presences.state(device, { switchId: target._id, state: report.on, stateAt: new Date(instant.atMs) })
    }
    return undefined
  }

  #append(device: KnownDevice, events: readonly LedgerEvent[]): void {
    for (const event of events) {
      this.events.push(event)
      const { switchId, powerState: state, timestamp: stateAt } = event
      this.presences.state(device, { switchId, state, stateAt })
    }
  }
}

function unknownSwitch({ gpio }: SwitchReport | ReadingReport): Reason {
  return { reason: 'unknown_switch', detail: `the device has no switch with gpio ${gpio}` }
}
