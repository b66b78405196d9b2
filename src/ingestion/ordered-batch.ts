import type { Activity } from '../activity/activity.js'
import type { DeviceAnswer } from '../commands/device-answers.js'
import { isInQuarterHours } from '../energy/register-marks/touched-quarter.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import { activityOf } from './activity-of.js'
import type { KnownDevice } from './device-directory.js'
import type { Delivery } from './ingest-window-store.js'
import type { IngestionParts } from './ingestion-parts.js'
import { type Instant, instantOf, notAReading, readingEvent, refusedReadingEvent } from './ledger-event.js'
import { type Note, notesOf } from './note.js'
import type { Arrival, OrderedDevice } from './ordered-device.js'
import type { OrderedDevices } from './ordered-devices.js'
import { isOutdated } from './outdated-report.js'
import type { Decoded } from './pipeline.js'
import { Presences } from './presences.js'
import type { Refusal } from './quarantine-store.js'
import type { RawMessage } from './raw-message.js'
import type { RepeatedTime } from './repeated-hour/run-marks.js'
import type { DeviceReport, ReadingReport, SnapshotReport, StatusReport, SwitchReport } from './report.js'
import { SeriesBatch } from './series-batch.js'
import { snapshotRefusal } from './snapshot-refusal.js'
import type { TelemetryMemory } from './telemetry-memory.js'
import { isUnplaced, noClassroom } from './unplaced.js'

/** A message as it was delivered. */
export interface DeliveredMessage extends RawMessage {
  /** Undefined for what cannot be delivered again: QoS 0, and replays. */
  readonly delivery: Delivery | undefined
  readonly digest: string
  /** Since when it may have been waiting for us, epoch milliseconds. */
  readonly waitingSinceMs: number
}

type Reason = Pick<Refusal, 'reason' | 'detail'>

/** A message of a known device that has proved to be its own. */
interface AcceptedMessage {
  readonly message: DeliveredMessage
  readonly device: KnownDevice
  readonly state: OrderedDevice
  readonly arrival: Arrival
  readonly instant: Instant
}

/** Ordered batch: what a batch of messages comes to whose only order is that of their arrival. */
export class OrderedBatch {
  readonly events: LedgerEvent[] = []
  readonly activities: Omit<Activity, '_id'>[] = []
  readonly refusals: Refusal[] = []
  readonly notes: Note[] = []
  readonly presences = new Presences()
  /** What commands may have waited for. */
  readonly answers: DeviceAnswer[] = []
  readonly series: SeriesBatch
  readonly #parts: IngestionParts
  readonly #repeated: ReadonlyMap<DeviceReport, RepeatedTime>
  readonly #devices: OrderedDevices
  readonly prices: Prices
  /** Devices and instants at which these have started again. */
  readonly #restarts = new Set<string>()

  constructor(
    parts: IngestionParts,
    devices: OrderedDevices,
    telemetry: TelemetryMemory,
    prices: Prices,
    repeated: ReadonlyMap<DeviceReport, RepeatedTime>,
  ) {
    this.#repeated = repeated
    this.series = new SeriesBatch(parts.series, telemetry)
    this.#parts = parts
    this.#devices = devices
    this.prices = prices
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
      else this.notes.push(...notesOf(report, message.receivedAt))
    }
  }

  /** @returns why the report cannot be used, if it cannot. */
  async #takeReport(message: DeliveredMessage, report: DeviceReport): Promise<Reason | undefined> {
    const { directory } = this.#parts
    const device = directory.find(report.device)
    if (device === undefined) return { reason: 'unknown_device', detail: 'no device is registered with this address' }
    const arrivalMs = message.receivedAt.getTime()
    const isUnproved = !directory.isAuthentic(report.credential, device)
    if (!isUnproved && report.credential.kind === 'signature') directory.signed(device)
    if (isUnproved && (directory.needsSignature(device) || !showsPresence(report)))
      return { reason: 'unauthorized', detail: 'the secret is wrong or missing' }
    if (isUnproved && report.kind === 'heartbeat') {
      if (message.isRetained !== true) this.presences.seen(device, arrivalMs)
      return undefined
    }
    const instant = instantOf(
      report.time,
      device.timeZone,
      arrivalMs,
      this.#parts.earliestCredibleMs,
      this.#repeated.get(report),
    )
    if (isOutdated(message, report, instant)) return undefined
    this.series.takeTelemetry({ report, device, instant, arrivalMs }, message.isRetained === true)
    if (report.kind === 'status') return this.#takeStatus(message, report, device)
    if (isUnplaced(report, device)) return noClassroom
    if (report.credential.kind === 'signature') this.presences.signed(device)
    const state = await this.#devices.stateOf(device)
    const accepted = { message, device, state, arrival: this.#arrivalOf(message), instant }
    if (message.isRetained !== true) {
      this.presences.telemetry(device, report, arrivalMs)
      return this.#takeAccepted(report, accepted)
    }
    // Here relays know order only by arrival, and a message that was kept has none that counts.
    return report.kind === 'reading' ? this.#takeReading(report, accepted) : undefined
  }

  /** An `offline` is the broker's word, and a message that it had kept is an old one: neither shows that the device is there. */
  #takeStatus(message: DeliveredMessage, { online }: StatusReport, device: KnownDevice): undefined {
    const arrivalMs = message.receivedAt.getTime()
    const status = online ? 'online' : 'offline'
    if (message.isRetained === true) this.presences.keptStatus(device, status, arrivalMs)
    else this.presences.status(device, status, arrivalMs)
    if (online && message.isRetained !== true) this.presences.seen(device, arrivalMs)
  }

  #arrivalOf({ receivedAt, waitingSinceMs, delivery, digest }: DeliveredMessage): Arrival {
    return {
      arrivalMs: receivedAt.getTime(),
      waitingSinceMs,
      prices: this.prices,
      mark: delivery === undefined ? digest.slice(0, 16) : delivery.packetId.toString(36),
    }
  }

  #takeAccepted(report: DeviceReport, accepted: AcceptedMessage): Reason | undefined {
    switch (report.kind) {
      case 'snapshot':
        return this.#takeSnapshot(report, accepted)
      case 'switch':
        return this.#takeSwitch(report, accepted)
      case 'reading':
        this.#noteLife(accepted, accepted.instant.atMs)
        return this.#takeReading(report, accepted)
      case 'refusal': {
        this.#noteLife(accepted, accepted.instant.atMs)
        const { command, detail = 'it gave no reason' } = report
        this.#noteAnswer(accepted, { evidence: 'answer', command, refusal: detail })
        return undefined
      }
      default:
        this.#noteLife(accepted, accepted.instant.atMs)
        return undefined
    }
  }

  /** @param aliveMs When the device was alive: by its own time where it has one. */
  #noteLife({ device, state, arrival }: AcceptedMessage, aliveMs: number): void {
    const { arrivalMs } = arrival
    state.noteAlive(arrival)
    this.presences.seen(device, arrivalMs)
    this.presences.alive(device, { atMs: Math.min(aliveMs, arrivalMs), boot: undefined }, arrivalMs)
    this.presences.status(device, 'online', arrivalMs)
    if (state.boot === undefined) return
    const { id, startedMs, runMs } = state.boot
    this.presences.started(device, { id, startedAt: new Date(startedMs), runMs })
  }

  #takeSnapshot(report: SnapshotReport, accepted: AcceptedMessage): Reason | undefined {
    const { device, state, arrival } = accepted
    this.#append(device, state.takeSnapshot(report, arrival))
    this.presences.overrides(device, report.switches)
    for (const { gpio, on: state } of report.switches) this.#noteAnswer(accepted, { evidence: 'snapshot', gpio, state })
    this.#noteLife(accepted, arrival.arrivalMs)
    return snapshotRefusal(report, device)
  }

  #takeSwitch(report: SwitchReport, accepted: AcceptedMessage): Reason | undefined {
    const { device, state, arrival } = accepted
    const target = device.switches.get(report.gpio)
    if (target === undefined) {
      this.#noteLife(accepted, arrival.arrivalMs)
      return unknownSwitch(report)
    }
    const { events, atMs, key, restartedMs } = state.takeSwitch(report, target, arrival)
    this.#append(device, events)
    if (restartedMs !== undefined) {
      this.#noteLife(accepted, restartedMs)
      this.#restarts.add(`${device.id.toHexString()} ${restartedMs}`)
    }
    this.#noteLife(accepted, atMs)
    this.activities.push(activityOf(report, device, target, { atMs, arrivalMs: arrival.arrivalMs, key }))
    const isManual = report.cause === 'manual'
    this.#noteAnswer(accepted, { evidence: 'event', gpio: report.gpio, state: report.on, isManual })
    return undefined
  }

  /** Of what is replayed the time is over. */
  #noteAnswer({ message, device, arrival }: AcceptedMessage, answer: Omit<DeviceAnswer, 'device' | 'at'>): void {
    if (message.isReplayed === true) return
    this.answers.push({ device: device.id, at: new Date(arrival.arrivalMs), ...answer })
  }

  #takeReading(report: ReadingReport, { message, device, arrival, instant }: AcceptedMessage): Reason | undefined {
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const { arrivalMs, prices, mark } = arrival
    // With a time of its own the message is identified by its content; else by its arrival.
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
    const received = { report, device, instant, arrivalMs }
    const isForRegister = isInQuarterHours(device.document, target)
    const reason = notAReading(report, target)
    if (reason !== undefined) {
      // What is refused is missing: the power that was measured before it holds no longer.
      if (target.energySource === 'power' && isForRegister) this.series.takeRefusedReading(report, target, received)
      else if (target.energySource === 'power') this.events.push(refusedReadingEvent(device, target, fact))
      return { reason: 'not_a_reading', detail: reason }
    }
    if (!isForRegister) this.events.push(readingEvent(device, target, fact, report))
    this.series.takeReading(report, target, received)
    if (report.on !== undefined) {
      this.presences.state(device, { switchId: target._id, state: report.on, stateAt: new Date(instant.atMs) })
    }
    return undefined
  }

  /**
   * The batch's events with what the ledger has to know of signs of life besides. A snapshot says of its own switches that
   * there was a silence before it, and what a restart has changed is said by events of its own.
   */
  eventsWith(notes: readonly LedgerEvent[]): LedgerEvent[] {
    const silences = new Map(notes.filter(isSilence).map((note) => [placeOf(note), note]))
    const snapshots = new Set<string>()
    const events = this.events.map((event) => {
      if (!event.flags.includes('snapshot')) return event
      const place = placeOf(event)
      snapshots.add(place)
      return event.silentSince === undefined ? { ...event, silentSince: silences.get(place)?.silentSince } : event
    })
    const others = notes.filter((note) => {
      const isRestart = this.#restarts.has(`${note.deviceId.toHexString()} ${note.timestamp.getTime()}`)
      return !isRestart && !(isSilence(note) && snapshots.has(placeOf(note)))
    })
    return [...events, ...others]
  }

  #append(device: KnownDevice, events: readonly LedgerEvent[]): void {
    for (const event of events) {
      this.events.push(event)
      const { switchId, powerState: state, timestamp: stateAt } = event
      this.presences.state(device, { switchId, state, stateAt })
    }
  }
}

/**
 * Whether a message without proof is taken for the presence alone: the deployed firmware has no secret in its heartbeats, and
 * a broker none in the status. A device that signs, or has to, has both.
 */
function showsPresence({ kind, credential }: DeviceReport): boolean {
  return kind === 'heartbeat' ? credential.kind === 'none' : kind === 'status' && credential.kind === 'broker'
}

function isSilence({ silentSince }: LedgerEvent): boolean {
  return silentSince !== undefined
}

/** The switch and instant of an event. */
function placeOf({ switchId, timestamp }: LedgerEvent): string {
  return `${switchId.toHexString()} ${timestamp.getTime()}`
}

function unknownSwitch({ gpio }: SwitchReport | ReadingReport): Reason {
  return { reason: 'unknown_switch', detail: `the device has no switch with gpio ${gpio}` }
}
