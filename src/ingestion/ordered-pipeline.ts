import type { Activity } from '../activity/activity.js'
import type { Lease } from '../core/lease.js'
import { where } from '../core/repository/conditions.js'
import type { DevicePresence } from '../devices/device-repository.js'
import type { LedgerEvent } from '../ledger/entry.js'
import { isAuthentic } from './credential.js'
import type { KnownDevice } from './device-directory.js'
import type { Delivery, IngestWindowStore } from './ingest-window-store.js'
import { instantOf, notAReading, readingEvent } from './ledger-event.js'
import { type Arrival, OrderedDevice } from './ordered-device.js'
import { type Decoded, devicesOf, type IngestionCounters, type IngestionParts } from './pipeline.js'
import type { RawMessage, Refusal } from './quarantine-store.js'
import type { DeviceReport, ReadingReport, SwitchReport } from './report.js'
import type { StateChange } from './switch-states.js'

/** A message as it was delivered. */
export interface DeliveredMessage extends RawMessage {
  /** Undefined for what cannot be delivered again: QoS 0, and replays. */
  readonly delivery: Delivery | undefined
  readonly digest: string
  /** Since when it may have been waiting for us, epoch milliseconds. */
  readonly heardSinceMs: number
}

interface Collected {
  readonly events: LedgerEvent[]
  readonly activities: Omit<Activity, '_id'>[]
  readonly refusals: Refusal[]
  readonly seen: Map<string, { device: KnownDevice; seenMs: number; aliveMs?: number; status?: 'online' | 'offline' }>
}

const rememberedChanges = 8

/**
 * Takes messages whose only order is that of their arrival. One at a time may do so, under a lease; each batch is one
 * transaction, so that what was taken and what came of it can never part.
 */
export class OrderedPipeline {
  readonly #parts: IngestionParts
  readonly #counters: IngestionCounters
  readonly #lease: Lease
  readonly #window: IngestWindowStore
  readonly #devices = new Map<string, { device: KnownDevice; state: OrderedDevice }>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: IngestionParts, counters: IngestionCounters, lease: Lease, window: IngestWindowStore) {
    this.#parts = parts
    this.#counters = counters
    this.#lease = lease
    this.#window = window
  }

  /**
   * Makes the batch durable. Whatever it throws, nothing of it was stored, and it can be handed in again.
   * @throws DatabaseError `LEASE_LOST` if another process has taken over.
   */
  async process(batch: readonly Decoded<DeliveredMessage>[]): Promise<void> {
    await this.#inTurn(() => this.#run(batch, (refusals) => this.#parts.quarantine.add(refusals)))
  }

  /** As {@link process}, for quarantined messages. @returns those that still cannot be used. */
  replay(batch: readonly Decoded<DeliveredMessage>[]): Promise<readonly Refusal[]> {
    return this.#inTurn(() => this.#run(batch, async () => undefined))
  }

  /** One batch at a time: each begins with what the one before has left. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #run(
    batch: readonly Decoded<DeliveredMessage>[],
    keep: (refusals: readonly Refusal[]) => Promise<void>,
  ): Promise<readonly Refusal[]> {
    const fresh = new Set(this.#window.withoutTaken(batch.map(({ message }) => message)))
    const open = batch.filter(({ message }) => fresh.has(message))
    await this.#parts.directory.prepare(devicesOf(open))
    const pricePerKwh = await this.#parts.prices.pricePerKwh()
    const deliveries = open.flatMap(({ message }) => message.delivery ?? [])
    try {
      const collected: Collected = { events: [], activities: [], refusals: [], seen: new Map() }
      for (const { message, decoding } of open) {
        if (!('reports' in decoding)) collected.refusals.push({ message, ...decoding })
        else for (const report of decoding.reports) await this.#collect(message, report, pricePerKwh, collected)
      }
      const counts = open.length === 0 ? { fresh: 0, repeated: 0 } : await this.#store(collected, deliveries, keep)
      if (deliveries.length > 0) this.#window.remember(deliveries)
      // The ledger knew better than we did: ask it again.
      if (counts.repeated > 0) this.#devices.clear()
      this.#counters.entries += counts.fresh
      this.#counters.repeated += counts.repeated + batch.length - open.length
      this.#counters.processed += batch.length
      this.#counters.quarantined += collected.refusals.length
      return collected.refusals
    } catch (error) {
      // What was believed while collecting is not in the database: believe only what is.
      this.#devices.clear()
      this.#parts.directory.clear()
      throw error
    }
  }

  #store(
    { events, activities, refusals, seen }: Collected,
    deliveries: readonly Delivery[],
    keep: (refusals: readonly Refusal[]) => Promise<void>,
  ): Promise<{ fresh: number; repeated: number }> {
    const presences = [...seen.values()].map((one) => this.#presenceOf(one))
    return this.#parts.database.transactions.run(async () => {
      await this.#parts.database.transactions.execute((session) => this.#lease.guard(session))
      if (deliveries.length > 0) await this.#window.store(deliveries)
      const appended = await this.#parts.ledger.appendValid(events)
      await this.#parts.activities.record(activities)
      await keep(refusals)
      await this.#parts.devices.recordPresence(presences)
      const fresh = appended.filter(({ isNew }) => isNew).length
      return { fresh, repeated: appended.length - fresh }
    })
  }

  async #collect(
    message: DeliveredMessage,
    report: DeviceReport,
    pricePerKwh: number,
    collected: Collected,
  ): Promise<void> {
    const device = this.#parts.directory.find(report.device)
    const macAddress = 'macAddress' in report.device ? report.device.macAddress : undefined
    const refuse = (reason: Refusal['reason'], detail: string) =>
      void collected.refusals.push({ message, reason, detail, macAddress })
    if (device === undefined) return refuse('unknown_device', 'no device is registered with this address')
    const arrivalMs = message.receivedAt.getTime()
    if (report.kind === 'heartbeat' && report.credential.kind === 'none')
      return void this.#seen(collected, device, arrivalMs)
    if (report.kind === 'status') {
      this.#seen(collected, device, arrivalMs).status = report.online ? 'online' : 'offline'
      return
    }
    const secret = report.credential.kind === 'broker' ? undefined : await this.#parts.directory.secretOf(device)
    if (!isAuthentic(report.credential, secret)) return refuse('unauthorized', 'the secret is wrong or missing')
    const refusal = await this.#takeAuthentic(message, report, device, pricePerKwh, collected)
    if (refusal !== undefined) refuse(...refusal)
    const seen = this.#seen(collected, device, arrivalMs)
    seen.aliveMs = arrivalMs
    seen.status = 'online'
  }

  async #takeAuthentic(
    message: DeliveredMessage,
    report: DeviceReport,
    device: KnownDevice,
    pricePerKwh: number,
    collected: Collected,
  ): Promise<[Refusal['reason'], string] | undefined> {
    const arrival: Arrival = {
      arrivalMs: message.receivedAt.getTime(),
      heardSinceMs: message.heardSinceMs,
      pricePerKwh,
      mark: message.delivery === undefined ? message.digest.slice(0, 16) : message.delivery.packetId.toString(36),
    }
    const state = await this.#stateOf(device)
    switch (report.kind) {
      case 'snapshot': {
        collected.events.push(...state.takeSnapshot(report, arrival))
        const unknown = report.switches.filter(({ gpio }) => !device.switches.has(gpio)).map(({ gpio }) => gpio)
        return unknown.length === 0
          ? undefined
          : ['unknown_switch', `the device has no switch with gpio ${unknown.join(', ')}; the others were taken`]
      }
      case 'switch':
        return this.#takeSwitch(report, device, state, arrival, collected)
      case 'reading':
        return this.#takeReading(report, device, state, arrival, message.digest, collected)
      default:
        collected.events.push(...state.takeSignOfLife(arrival))
        return undefined
    }
  }

  #takeSwitch(
    report: SwitchReport,
    device: KnownDevice,
    state: OrderedDevice,
    arrival: Arrival,
    collected: Collected,
  ): [Refusal['reason'], string] | undefined {
    const target = device.switches.get(report.gpio)
    if (target === undefined) return ['unknown_switch', `the device has no switch with gpio ${report.gpio}`]
    const { events, atMs, key } = state.takeSwitch(report, target, arrival)
    collected.events.push(...events)
    collected.activities.push({
      deviceId: device.id,
      switchId: target._id,
      classroom: device.classroom,
      action: report.on ? 'switch_on' : 'switch_off',
      cause: report.cause,
      userId: report.userId,
      userName: report.userName,
      timestamp: new Date(atMs),
      receivedAt: new Date(arrival.arrivalMs),
      idempotencyKey: key,
    })
    return undefined
  }

  #takeReading(
    report: ReadingReport,
    device: KnownDevice,
    state: OrderedDevice,
    arrival: Arrival,
    digest: string,
    collected: Collected,
  ): [Refusal['reason'], string] | undefined {
    const target = device.switches.get(report.gpio)
    if (target === undefined) return ['unknown_switch', `the device has no switch with gpio ${report.gpio}`]
    const reason = notAReading(report)
    if (reason !== undefined) return ['not_a_reading', reason]
    collected.events.push(...state.takeSignOfLife(arrival))
    const instant = instantOf(report.time, device.timeZone, arrival.arrivalMs, this.#parts.earliestCredibleMs)
    const fact = {
      on: report.on ?? report.powerW !== 0,
      instant,
      arrivalMs: arrival.arrivalMs,
      pricePerKwh: arrival.pricePerKwh,
      // With a time of its own the message is told by its content; else by its arrival.
      idempotencyKey: `reading:${report.time === undefined ? `${arrival.arrivalMs.toString(36)}:${arrival.mark}` : digest.slice(0, 32)}`,
      sequence: report.sequence,
      firmwareVersion: report.firmwareVersion,
    }
    collected.events.push(readingEvent(device, target, fact, report))
    return undefined
  }

  #seen(collected: Collected, device: KnownDevice, seenMs: number) {
    const key = device.id.toHexString()
    const seen = { ...collected.seen.get(key), device, seenMs }
    collected.seen.set(key, seen)
    return seen
  }

  #presenceOf({
    device,
    seenMs,
    aliveMs,
    status,
  }: {
    device: KnownDevice
    seenMs: number
    aliveMs?: number
    status?: 'online' | 'offline'
  }): DevicePresence {
    const state = this.#devices.get(device.id.toHexString())?.state
    const boot = state?.boot
    return {
      deviceId: device.id,
      lastSeenAt: new Date(seenMs),
      lastSignOfLifeAt: aliveMs === undefined ? undefined : new Date(aliveMs),
      status,
      boot: boot === undefined ? undefined : { id: boot.id, startedAt: new Date(boot.startedMs) },
      switches: [...device.switches].flatMap(([gpio, { _id, state: before }]) => {
        const on = state?.isOn(gpio)
        return on === undefined || on === before ? [] : [{ switchId: _id, state: on, stateAt: new Date(seenMs) }]
      }),
    }
  }

  async #stateOf(device: KnownDevice): Promise<OrderedDevice> {
    const key = device.id.toHexString()
    const known = this.#devices.get(key)
    // A registration that was read again may have other switches.
    if (known?.device.document.__v === device.document.__v) return known.state
    const changes = await this.#changesOf(device)
    const { boot, lastSignOfLifeAt } = device.document
    const state = new OrderedDevice(device, {
      aliveMs: lastSignOfLifeAt?.getTime(),
      boot: boot === undefined ? undefined : { id: boot.id, startedMs: boot.startedAt.getTime() },
      changes,
    })
    this.#devices.set(key, { device, state })
    return state
  }

  async #changesOf(device: KnownDevice): Promise<Map<number, StateChange[]>> {
    const changes = new Map<number, StateChange[]>()
    for (const [gpio, { _id }] of device.switches) {
      const entries = await this.#parts.ledger.find(
        { switchId: _id, eventType: where.in(['switch_on', 'switch_off'] as const) },
        { sort: { timestamp: -1 }, limit: rememberedChanges },
      )
      changes.set(
        gpio,
        entries.toReversed().map(({ timestamp, powerState, flags }) => ({
          atMs: timestamp.getTime(),
          on: powerState,
          isSnapshot: flags.includes('snapshot'),
        })),
      )
    }
    return changes
  }
}
