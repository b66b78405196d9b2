import { where } from '../core/repository/conditions.js'
import type { DeviceSwitch } from '../devices/device.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEntry, LedgerEvent } from '../ledger/entry/entry.js'
import type { KnownDevice } from './device-directory.js'
import { switchEvent } from './ledger-event.js'
import type { IngestionParts } from './pipeline.js'
import type { Heard } from './shared-batch.js'

interface Watched {
  readonly aliveMs: number
  readonly boot: string | undefined
}

/** A stretch before a report in which its device was silent, or started again. */
interface Silence {
  readonly heard: Heard
  /** The last sign of life before. */
  readonly aliveMs: number
  readonly isRestart: boolean
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

  /** Notes a sign of life. @returns the silence or restart that seems to lie before it, if one does. */
  notice(heard: Heard): Silence | undefined {
    const { report, device, instant } = heard
    if (report.kind === 'status' || device.ratedSwitches.length === 0) return undefined
    if (instant.flags.includes('clock_replaced')) return undefined
    const key = device.id.toHexString()
    const known = this.#watched.get(key) ?? fromDocument(device)
    this.#watched.set(key, {
      aliveMs: Math.max(known?.aliveMs ?? instant.atMs, instant.atMs),
      boot: report.boot ?? known?.boot,
    })
    if (known === undefined || instant.atMs <= known.aliveMs) return undefined
    const isRestart = report.boot !== undefined && known.boot !== undefined && report.boot !== known.boot
    const isSilent = instant.atMs - known.aliveMs > device.gapLimitMs
    return isRestart || isSilent ? { heard, aliveMs: known.aliveMs, isRestart } : undefined
  }

  /** The events that it makes of the device's rated switches; none if another ingester has heard the device meanwhile. */
  async eventsOf({ heard, isRestart, ...noticed }: Silence, prices: Prices): Promise<LedgerEvent[]> {
    const { device, instant } = heard
    const aliveMs = Math.max(noticed.aliveMs, await this.#aliveByOthers(device, instant.atMs))
    if (!isRestart && instant.atMs - aliveMs <= device.gapLimitMs) return []
    const silence = { heard, aliveMs, isRestart }
    const events = await Promise.all(device.ratedSwitches.map((target) => this.#eventOf(target, silence, prices)))
    return events.flat()
  }

  /** Believes only what the database says, from now on. */
  forget(): void {
    this.#watched.clear()
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

  async #eventOf(target: DeviceSwitch, { heard, aliveMs, isRestart }: Silence, prices: Prices): Promise<LedgerEvent[]> {
    const { report, device, instant, arrivalMs } = heard
    const last = await this.#stateBefore(target, instant.atMs)
    if (last === null || (isRestart && !last.powerState)) return []
    return [
      switchEvent(device, target, {
        // After a restart the device tells each relay's state itself; until then they are off.
        on: isRestart ? false : last.powerState,
        instant: {
          atMs: isRestart ? aliveMs : instant.atMs - 1,
          flags: isRestart ? ['reboot', 'estimated'] : ['estimated'],
        },
        arrivalMs,
        prices,
        idempotencyKey: isRestart ? `reboot:${report.boot}` : `silence:${aliveMs.toString(36)}`,
        silentSinceMs: isRestart ? undefined : aliveMs,
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
