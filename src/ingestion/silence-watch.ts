import { where } from '../core/repository/conditions.js'
import type { DeviceSwitch } from '../devices/device.js'
import type { LedgerEntry, LedgerEvent } from '../ledger/entry.js'
import type { KnownDevice } from './device-directory.js'
import { type Instant, switchEvent } from './ledger-event.js'
import type { IngestionParts } from './pipeline.js'
import type { DeviceReport } from './report.js'

interface Watched {
  aliveMs: number
  boot: string | undefined
}

/**
 * Watches devices that tell time and boot themselves for silences and restarts, which matter to switches whose energy is
 * reckoned from their rating. Several ingesters may each see a part of the messages: what looks like a silence is looked up
 * before it is believed.
 */
export class SilenceWatch {
  readonly #parts: IngestionParts
  readonly #watched = new Map<string, Watched>()

  constructor(parts: IngestionParts) {
    this.#parts = parts
  }

  /** The events that a silence, or a restart, before this report makes of the device's rated switches. */
  async before(
    report: DeviceReport,
    device: KnownDevice,
    instant: Instant,
    arrivalMs: number,
    pricePerKwh: number,
  ): Promise<LedgerEvent[]> {
    const { ratedSwitches } = device
    if (ratedSwitches.length === 0 || instant.flags.includes('clock_replaced')) return []
    const known = this.#watched.get(device.id.toHexString()) ?? fromDocument(device)
    const watched = {
      aliveMs: Math.max(known?.aliveMs ?? instant.atMs, instant.atMs),
      boot: report.boot ?? known?.boot,
    }
    this.#watched.set(device.id.toHexString(), watched)
    if (known === undefined || instant.atMs <= known.aliveMs) return []
    const isRestart = report.boot !== undefined && known.boot !== undefined && report.boot !== known.boot
    const isSilent = instant.atMs - known.aliveMs > device.gapLimitMs
    if (!isRestart && !isSilent) return []
    const aliveMs = Math.max(known.aliveMs, await this.#aliveByOthers(device, instant.atMs))
    if (!isRestart && instant.atMs - aliveMs <= device.gapLimitMs) return []
    const events = await Promise.all(
      ratedSwitches.map((target) =>
        this.#eventOf(report, device, target, { atMs: instant.atMs, aliveMs, isRestart, arrivalMs, pricePerKwh }),
      ),
    )
    return events.flat()
  }

  /** The last sign of life that any ingester has noted, as far as it lies before the instant. */
  async #aliveByOthers(device: KnownDevice, atMs: number): Promise<number> {
    const { lastSignOfLifeAt } = await this.#parts.devices.get(device.id, {
      select: ['lastSignOfLifeAt'],
      withDeleted: true,
    })
    const aliveMs = lastSignOfLifeAt?.getTime() ?? Number.NEGATIVE_INFINITY
    return aliveMs < atMs ? aliveMs : Number.NEGATIVE_INFINITY
  }

  async #eventOf(
    report: DeviceReport,
    device: KnownDevice,
    target: DeviceSwitch,
    found: { atMs: number; aliveMs: number; isRestart: boolean; arrivalMs: number; pricePerKwh: number },
  ): Promise<LedgerEvent[]> {
    const last = await this.#stateBefore(target, found.atMs)
    if (last === null || (found.isRestart && !last.powerState)) return []
    // After a restart the device tells each relay's state itself; until then they are off.
    const on = found.isRestart ? false : last.powerState
    return [
      switchEvent(device, target, {
        on,
        instant: {
          atMs: found.isRestart ? found.aliveMs : found.atMs - 1,
          flags: found.isRestart ? ['reboot', 'estimated'] : ['estimated'],
        },
        arrivalMs: found.arrivalMs,
        pricePerKwh: found.pricePerKwh,
        idempotencyKey: found.isRestart ? `reboot:${report.boot}` : `silence:${found.aliveMs.toString(36)}`,
        silentSinceMs: found.isRestart ? undefined : found.aliveMs,
        boot: report.boot,
      }),
    ]
  }

  #stateBefore(target: DeviceSwitch, atMs: number): Promise<LedgerEntry | null> {
    const filter = {
      switchId: target._id,
      timestamp: where.lt(new Date(atMs)),
      eventType: where.in(['switch_on', 'switch_off'] as const),
    }
    return this.#parts.ledger.findOne(filter, { sort: { timestamp: -1 } })
  }
}

function fromDocument({ document }: KnownDevice): Watched | undefined {
  return document.lastSignOfLifeAt === undefined
    ? undefined
    : { aliveMs: document.lastSignOfLifeAt.getTime(), boot: document.boot?.id }
}
