import type { Activity } from '../activity/activity.js'
import type { DevicePresence } from '../devices/device-repository.js'
import type { LedgerEvent } from '../ledger/entry.js'
import { isAuthentic } from './credential.js'
import type { KnownDevice } from './device-directory.js'
import { type Instant, instantOf, notAReading, readingEvent, type SwitchFact, switchEvent } from './ledger-event.js'
import { type Decoded, devicesOf, type IngestionCounters, type IngestionParts } from './pipeline.js'
import type { RawMessage, Refusal } from './quarantine-store.js'
import type { DeviceReport } from './report.js'
import { SilenceWatch } from './silence-watch.js'

/** How often a device's presence is written: often enough for any gap limit, which is at least a minute. */
const presencePeriodMs = 5_000

interface Collected {
  readonly events: LedgerEvent[]
  readonly activities: Omit<Activity, '_id'>[]
  readonly refusals: Refusal[]
  readonly presences: Map<string, DevicePresence>
}

/**
 * Takes messages that carry time, boot, sequence and identity of their own. Any number of these may work on one database:
 * every step can be repeated without effect.
 */
export class SharedPipeline {
  readonly #parts: IngestionParts
  readonly #counters: IngestionCounters
  readonly #silence: SilenceWatch
  /** When each device's presence was last written. */
  readonly #presenceMs = new Map<string, number>()

  constructor(parts: IngestionParts, counters: IngestionCounters) {
    this.#parts = parts
    this.#counters = counters
    this.#silence = new SilenceWatch(parts)
  }

  /** Makes the batch durable. Whatever it throws, the batch can be handed in again. */
  async process(batch: readonly Decoded[]): Promise<void> {
    await this.#parts.quarantine.add(await this.replay(batch))
  }

  /** As {@link process}, for quarantined messages. @returns those that still cannot be used. */
  async replay(batch: readonly Decoded[]): Promise<readonly Refusal[]> {
    await this.#parts.directory.prepare(devicesOf(batch))
    const pricePerKwh = await this.#parts.prices.pricePerKwh()
    const collected: Collected = { events: [], activities: [], refusals: [], presences: new Map() }
    for (const { message, decoding } of batch) {
      if ('reports' in decoding) await this.#collect(message, decoding.reports, pricePerKwh, collected)
      else collected.refusals.push({ message, ...decoding })
    }
    await this.#store(collected)
    this.#counters.processed += batch.length
    this.#counters.quarantined += collected.refusals.length
    return collected.refusals
  }

  async #store({ events, activities, presences }: Collected): Promise<void> {
    const appended = await this.#parts.ledger.appendValid(events)
    const fresh = appended.filter(({ isNew }) => isNew).length
    await this.#parts.activities.record(activities)
    await this.#parts.devices.recordPresence([...presences.values()])
    this.#counters.entries += fresh
    this.#counters.repeated += appended.length - fresh
  }

  async #collect(
    message: RawMessage,
    reports: readonly DeviceReport[],
    pricePerKwh: number,
    collected: Collected,
  ): Promise<void> {
    const arrivalMs = message.receivedAt.getTime()
    for (const report of reports) {
      const device = this.#parts.directory.find(report.device)
      const macAddress = 'macAddress' in report.device ? report.device.macAddress : undefined
      const refuse = (reason: Refusal['reason'], detail: string) =>
        collected.refusals.push({ message, reason, detail, macAddress })
      if (device === undefined) {
        refuse('unknown_device', 'no device is registered with this address')
        continue
      }
      if (
        report.credential.kind !== 'broker' &&
        !isAuthentic(report.credential, await this.#parts.directory.secretOf(device))
      ) {
        refuse('unauthorized', 'the signature is wrong or missing')
        continue
      }
      const instant = instantOf(report.time, device.timeZone, arrivalMs, this.#parts.earliestCredibleMs)
      await this.#noteLife(report, device, instant, arrivalMs, pricePerKwh, collected)
      const refused = this.#take(report, device, instant, arrivalMs, pricePerKwh, collected)
      if (refused !== undefined) refuse(...refused)
    }
  }

  /** Turns the report into an event. @returns why it cannot be used, if it cannot. */
  #take(
    report: DeviceReport,
    device: KnownDevice,
    instant: Instant,
    arrivalMs: number,
    pricePerKwh: number,
    collected: Collected,
  ): [Refusal['reason'], string] | undefined {
    if (report.kind !== 'switch' && report.kind !== 'reading') return undefined
    const target = device.switches.get(report.gpio)
    if (target === undefined) return ['unknown_switch', `the device has no switch with gpio ${report.gpio}`]
    const fact: SwitchFact = {
      on: report.kind === 'switch' ? report.on : (report.on ?? report.powerW !== 0),
      instant,
      arrivalMs,
      pricePerKwh,
      idempotencyKey: `v2:${report.messageId ?? `${report.boot}:${report.sequence}`}`,
      boot: report.boot,
      sequence: report.sequence,
      firmwareVersion: report.firmwareVersion,
    }
    if (report.kind === 'reading') {
      const reason = notAReading(report)
      if (reason !== undefined) return ['not_a_reading', reason]
      collected.events.push(readingEvent(device, target, fact, report))
      return undefined
    }
    collected.events.push(switchEvent(device, target, fact))
    collected.activities.push({
      deviceId: device.id,
      switchId: target._id,
      classroom: device.classroom,
      action: report.on ? 'switch_on' : 'switch_off',
      cause: report.cause,
      userId: report.userId,
      userName: report.userName,
      timestamp: new Date(instant.atMs),
      receivedAt: new Date(arrivalMs),
      idempotencyKey: fact.idempotencyKey,
    })
    this.#presenceOf(device, collected, arrivalMs).switches.push({
      switchId: target._id,
      state: report.on,
      stateAt: new Date(instant.atMs),
    })
    return undefined
  }

  /** Notes that the device is alive, and what its rated switches were if it was silent or has started again. */
  async #noteLife(
    report: DeviceReport,
    device: KnownDevice,
    instant: Instant,
    arrivalMs: number,
    pricePerKwh: number,
    collected: Collected,
  ): Promise<void> {
    const isStatus = report.kind === 'status'
    const isAlive = !isStatus || report.online
    if (isAlive && !isStatus) {
      collected.events.push(...(await this.#silence.before(report, device, instant, arrivalMs, pricePerKwh)))
    }
    const key = device.id.toHexString()
    const isDue = arrivalMs - (this.#presenceMs.get(key) ?? 0) >= presencePeriodMs
    const isNewBoot = report.boot !== undefined && report.boot !== device.document.boot?.id
    if (!isDue && !isStatus && !isNewBoot && !collected.presences.has(key)) return
    this.#presenceMs.set(key, arrivalMs)
    const presence = this.#presenceOf(device, collected, arrivalMs)
    const seenAt = new Date(arrivalMs)
    presence.status = isAlive ? 'online' : 'offline'
    if (!isAlive) return
    presence.lastSeenAt = seenAt
    if (!isStatus)
      presence.lastSignOfLifeAt = new Date(Math.max(presence.lastSignOfLifeAt?.getTime() ?? 0, instant.atMs))
    if (isNewBoot && report.boot !== undefined) presence.boot = { id: report.boot, startedAt: new Date(instant.atMs) }
    if (report.firmwareVersion !== undefined) presence.firmwareVersion = report.firmwareVersion
  }

  #presenceOf(device: KnownDevice, { presences }: Collected, arrivalMs: number): MutablePresence {
    const key = device.id.toHexString()
    const known = presences.get(key)
    if (known !== undefined) return known as MutablePresence
    const presence: MutablePresence = { deviceId: device.id, lastSeenAt: new Date(arrivalMs), switches: [] }
    presences.set(key, presence)
    return presence
  }
}

type MutablePresence = {
  -readonly [Key in keyof DevicePresence]: Key extends 'switches'
    ? DevicePresence['switches'][number][]
    : DevicePresence[Key]
}
