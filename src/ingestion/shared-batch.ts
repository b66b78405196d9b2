import type { ObjectId } from 'mongodb'
import type { Activity } from '../activity/activity.js'
import type { DeviceAnswer } from '../commands/device-answers.js'
import { isInQuarterHours } from '../energy/register-marks/touched-quarter.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import { activityOf } from './activity-of.js'
import type { KnownSwitch } from './device-directory.js'
import type { BatchRuns } from './freshness/batch-runs.js'
import type { IngestionParts } from './ingestion-parts.js'
import {
  instantOf,
  notAReading,
  readingEvent,
  refusedReadingEvent,
  type SwitchFact,
  switchEvent,
} from './ledger-event.js'
import { type Note, notesOf } from './note.js'
import { isOutdated } from './outdated-report.js'
import { Presences } from './presences.js'
import type { Refusal } from './quarantine-store.js'
import type { RawMessage } from './raw-message.js'
import type { ReceivedReport } from './received-report.js'
import type { RepeatedTime } from './repeated-hour/run-marks.js'
import type { DeviceReport, InstallFailureReport, ReadingReport, RefusalReport, SwitchReport } from './report.js'
import { SeriesBatch } from './series-batch.js'
import type { TelemetryMemory } from './telemetry-memory.js'
import { isUnplaced, noClassroom } from './unplaced.js'

type Reason = Pick<Refusal, 'reason' | 'detail'>

/** A report that has proved to be its device's and to be new. */
export interface AcceptedReport extends ReceivedReport {
  readonly message: RawMessage
  /** Whether it shows how the device is now: else it is a fact of an earlier time, or old news. */
  readonly isPresent: boolean
}

/** A firmware that a device could not install. */
interface InstallFailure {
  readonly rollout: string
  readonly device: ObjectId
  readonly reason: string
}

/** Shared batch: what a batch of messages comes to that carry time, boot, sequence and identity of their own. */
export class SharedBatch {
  readonly events: LedgerEvent[] = []
  readonly activities: Omit<Activity, '_id'>[] = []
  readonly refusals: Refusal[] = []
  readonly notes: Note[] = []
  readonly presences = new Presences()
  /** What commands may have waited for. */
  readonly answers: DeviceAnswer[] = []
  /** Firmware that devices could not install. */
  readonly installFailures: InstallFailure[] = []
  /** Reports that were taken before. */
  repeated = 0
  readonly series: SeriesBatch
  readonly prices: Prices
  readonly #parts: IngestionParts
  readonly #repeatedTimes: ReadonlyMap<DeviceReport, RepeatedTime>
  readonly #runs: BatchRuns

  constructor(
    parts: IngestionParts,
    telemetry: TelemetryMemory,
    prices: Prices,
    repeatedTimes: ReadonlyMap<DeviceReport, RepeatedTime>,
    runs: BatchRuns,
  ) {
    this.#repeatedTimes = repeatedTimes
    this.#runs = runs
    this.series = new SeriesBatch(parts.series, telemetry)
    this.#parts = parts
    this.prices = prices
  }

  refuse(message: RawMessage, { device }: DeviceReport, reason: Reason): void {
    this.refusals.push({ message, ...reason, macAddress: 'macAddress' in device ? device.macAddress : undefined })
  }

  /**
   * The report with its device; undefined if it is outdated or was taken before, or refused because it is no registered
   * device's or nothing shows that it is new.
   */
  accept(message: RawMessage, report: DeviceReport): AcceptedReport | undefined {
    const { directory, earliestCredibleMs } = this.#parts
    const device = directory.find(report.device)
    if (device === undefined) {
      this.refuse(message, report, { reason: 'unknown_device', detail: 'no device is registered with this address' })
      return undefined
    }
    if (!directory.isAuthentic(report.credential, device)) {
      this.refuse(message, report, {
        reason: 'unauthorized',
        detail: 'the signature or the secret is wrong or missing',
      })
      return undefined
    }
    if (report.credential.kind === 'signature') directory.signed(device)
    const arrivalMs = message.receivedAt.getTime()
    const repeatedTime = this.#repeatedTimes.get(report)
    const instant = instantOf(report.time, device.timeZone, arrivalMs, earliestCredibleMs, repeatedTime)
    if (isOutdated(message, report, instant)) return undefined
    const received = { report, device, instant, arrivalMs }
    if (message.isRetained === true || message.isReplayed === true) return { ...received, message, isPresent: false }
    const freshness = this.#runs.take(received)
    if (freshness === 'not_fresh') this.refuse(message, report, notFresh)
    const isRepeated = freshness === 'repeated' || (freshness === 'past' && report.kind === 'status')
    if (isRepeated) this.repeated += 1
    return freshness === 'not_fresh' || isRepeated
      ? undefined
      : { ...received, message, isPresent: freshness === 'present' }
  }

  /** What is to be stored of the devices, once all reports are taken. */
  noteRuns(): void {
    for (const device of this.presences.devices()) this.presences.run(device, this.#runs.changeOf(device))
  }

  take(accepted: AcceptedReport): void {
    if (accepted.report.credential.kind === 'signature') this.presences.signed(accepted.device)
    this.#notePresence(accepted)
    const { message, report, device } = accepted
    const reason = isUnplaced(report, device)
      ? noClassroom
      : report.kind === 'switch'
        ? this.#takeSwitch(report, accepted)
        : report.kind === 'refusal'
          ? this.#takeRefusal(report, accepted)
          : report.kind === 'install_failure'
            ? this.#takeInstallFailure(report, accepted)
            : report.kind === 'reading'
              ? this.#takeReading(report, accepted)
              : this.series.takeTelemetry(accepted, message.isRetained === true)
    if (reason !== undefined) this.refuse(message, report, reason)
    else this.notes.push(...notesOf(report, message.receivedAt))
  }

  #takeSwitch(report: SwitchReport, accepted: AcceptedReport): Reason | undefined {
    const { device, instant, arrivalMs } = accepted
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const fact = this.#factOf(report, accepted, report.on)
    this.events.push(switchEvent(device, target, fact))
    this.activities.push(
      activityOf(report, device, target, { atMs: instant.atMs, arrivalMs, key: fact.idempotencyKey }),
    )
    this.#noteState(accepted, target, report.on)
    const { command, gpio, on: state, cause } = report
    // Without the command's id only what shows how the device is now can be an answer.
    if (command !== undefined || accepted.isPresent) {
      const evidence = command === undefined ? 'event' : 'answer'
      const isManual = cause === 'manual'
      this.answers.push({ device: device.id, at: new Date(arrivalMs), evidence, command, gpio, state, isManual })
    }
    return undefined
  }

  #takeRefusal(
    { command, detail = 'it gave no reason' }: RefusalReport,
    { device, arrivalMs }: AcceptedReport,
  ): undefined {
    this.answers.push({ device: device.id, at: new Date(arrivalMs), evidence: 'answer', command, refusal: detail })
  }

  #takeInstallFailure(
    { rollout, detail: reason = 'it gave no reason' }: InstallFailureReport,
    { device }: AcceptedReport,
  ): undefined {
    this.installFailures.push({ rollout, device: device.id, reason })
  }

  #takeReading(report: ReadingReport, accepted: AcceptedReport): Reason | undefined {
    const { device } = accepted
    const target = device.switches.get(report.gpio)
    if (target === undefined) return unknownSwitch(report)
    const fact = this.#factOf(report, accepted, report.on ?? report.powerW !== 0)
    const reason = notAReading(report, target)
    if (reason !== undefined) {
      if (target.energySource === 'power') this.#endPower(report, target, accepted, fact)
      return { reason: 'not_a_reading', detail: reason }
    }
    if (!isInQuarterHours(device.document, target)) this.events.push(readingEvent(device, target, fact, report))
    this.series.takeReading(report, target, accepted)
    if (report.on !== undefined) this.#noteState(accepted, target, report.on)
    return undefined
  }

  /** What is refused is missing: the power that was measured before it holds no longer. */
  #endPower(report: ReadingReport, target: KnownSwitch, accepted: AcceptedReport, fact: SwitchFact): void {
    if (isInQuarterHours(accepted.device.document, target)) this.series.takeRefusedReading(report, target, accepted)
    else this.events.push(refusedReadingEvent(accepted.device, target, fact))
  }

  #factOf(
    { messageId, boot, sequence, firmwareVersion }: DeviceReport,
    accepted: AcceptedReport,
    on: boolean,
  ): SwitchFact {
    return {
      on,
      instant: accepted.instant,
      arrivalMs: accepted.arrivalMs,
      prices: this.prices,
      idempotencyKey: `v2:${messageId ?? `${boot}:${sequence}`}`,
      boot,
      sequence,
      firmwareVersion,
    }
  }

  #noteState({ device, instant }: AcceptedReport, target: KnownSwitch, state: boolean): void {
    this.presences.state(device, { switchId: target._id, state, stateAt: new Date(instant.atMs) })
  }

  #notePresence({ message, isPresent, report, device, instant, arrivalMs }: AcceptedReport): void {
    if (report.kind === 'status') {
      if (message.isReplayed === true) return
      // An `offline` is the broker's word, and a message that it had kept is an old one: neither shows that the device is there.
      const status = report.online ? 'online' : 'offline'
      if (message.isRetained === true) this.presences.keptStatus(device, status, arrivalMs)
      else this.presences.status(device, status, arrivalMs)
      if (report.online && message.isRetained !== true) this.presences.seen(device, arrivalMs)
      return
    }
    if (message.isRetained === true) return
    const { boot, firmwareVersion } = report
    this.presences.alive(device, { atMs: instant.atMs, boot }, arrivalMs)
    if (!isPresent) return
    this.presences.seen(device, arrivalMs)
    this.presences.status(device, 'online', arrivalMs)
    const known = this.presences.bootOf(device) ?? device.document.boot
    if (boot !== undefined && boot !== known?.id) {
      this.presences.started(device, { id: boot, startedAt: new Date(instant.atMs) })
    }
    if (firmwareVersion !== undefined) this.presences.firmware(device, firmwareVersion)
    this.presences.telemetry(device, report, arrivalMs)
  }
}

const notFresh: Reason = {
  reason: 'not_fresh',
  detail: 'it has no time of its own, and its run or its connection is over, or not known',
}

function unknownSwitch({ gpio }: SwitchReport | ReadingReport): Reason {
  return { reason: 'unknown_switch', detail: `the device has no switch with gpio ${gpio}` }
}
