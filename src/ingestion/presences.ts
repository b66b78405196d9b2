import type { DevicePresence, SwitchOverride } from '../devices/device-presence.js'
import type { KnownDevice } from './device-directory.js'
import type { LifeSign } from './life/life-span.js'
import type { DeviceLife, Growth } from './life/lives.js'
import type { DeviceReport, Relay } from './report.js'

type Mutable<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] }
type SwitchState = DevicePresence['switches'][number]

interface Presence extends Mutable<Omit<DevicePresence, 'switches' | 'overrides'>> {
  readonly device: KnownDevice
  readonly states: Map<string, SwitchState>
  readonly overrides: Map<string, SwitchOverride>
  readonly signs: LifeSign[]
  /** When the last sign of life came. */
  signArrivalMs: number
}

/** What a batch reports about its devices: one presence each, however many messages there were. */
export class Presences {
  readonly #byDevice = new Map<string, Presence>()

  bootOf({ id }: KnownDevice): DevicePresence['boot'] {
    return this.#byDevice.get(id.toHexString())?.boot
  }

  /** A message came that is the device's, or says so. */
  seen(device: KnownDevice, atMs: number): void {
    const presence = this.#of(device)
    presence.lastSeenAt = later(presence.lastSeenAt, atMs)
  }

  /** A message came that is the device's beyond doubt: the device was alive at an instant. */
  alive(device: KnownDevice, sign: LifeSign, arrivalMs: number): void {
    const presence = this.#of(device)
    if (device.ratedSwitches.length === 0) {
      presence.lastSignOfLifeAt = later(presence.lastSignOfLifeAt, sign.atMs)
      return
    }
    presence.signs.push({ ...sign, atMs: Math.trunc(sign.atMs) })
    presence.signArrivalMs = Math.max(presence.signArrivalMs, arrivalMs)
  }

  /** What arrived last counts. */
  status(device: KnownDevice, status: 'online' | 'offline', atMs: number): void {
    Object.assign(this.#of(device), { status, statusAt: new Date(atMs) })
  }

  /** A status that the broker had kept: old news, which counts only where there is no other. */
  keptStatus(device: KnownDevice, status: 'online' | 'offline', atMs: number): void {
    const isKnown = (this.#of(device).statusAt ?? device.document.statusAt) !== undefined
    if (!isKnown) this.status(device, status, atMs)
  }

  started(device: KnownDevice, boot: NonNullable<DevicePresence['boot']>): void {
    this.#of(device).boot = boot
  }

  /** What was learnt of the device's runs. */
  run(device: KnownDevice, change: DevicePresence['run']): void {
    this.#of(device).run = change
  }

  /** The devices that anything was learnt of. */
  devices(): KnownDevice[] {
    return [...this.#byDevice.values()].map(({ device }) => device)
  }

  /** A message had a right signature. */
  signed(device: KnownDevice): void {
    if (device.document.hasSigned !== true) this.#of(device).hasSigned = true
  }

  firmware(device: KnownDevice, version: string): void {
    this.#of(device).firmwareVersion = version
  }

  /** A switch was found in this state; what happened last counts, whatever came first. */
  state(device: KnownDevice, one: SwitchState): void {
    const { states } = this.#of(device)
    const key = one.switchId.toHexString()
    const known = states.get(key)
    if (known === undefined || known.stateAt <= one.stateAt) states.set(key, one)
  }

  /** Whose wall switches have the last word, as far as that is news. */
  overrides(device: KnownDevice, relays: readonly Relay[]): void {
    for (const { gpio, manualOverride } of relays) {
      const target = device.switches.get(gpio)
      if (target === undefined || manualOverride === undefined || target.manualOverride === manualOverride) continue
      this.#of(device).overrides.set(target._id.toHexString(), { switchId: target._id, manualOverride })
    }
  }

  /** What the device says of itself. */
  telemetry(device: KnownDevice, report: DeviceReport, arrivalMs: number): void {
    const { vitals = {} } = report
    const temperatureC = report.kind === 'reading' ? report.temperature : vitals.temperature
    const values = {
      ...(vitals.uptimeSeconds !== undefined && { uptimeSeconds: vitals.uptimeSeconds }),
      ...(vitals.freeHeap !== undefined && { freeHeapBytes: vitals.freeHeap }),
      ...(vitals.signalStrength !== undefined && { signalStrengthDbm: vitals.signalStrength }),
      ...(temperatureC !== undefined && { temperatureC }),
      ...(vitals.humidity !== undefined && { humidityPercent: vitals.humidity }),
    }
    if (Object.keys(values).length === 0) return
    const presence = this.#of(device)
    presence.telemetry = { ...presence.telemetry, ...values, at: new Date(arrivalMs) }
  }

  /** The signs of life of devices with rated switches, in the order of time. */
  lives(): DeviceLife[] {
    return [...this.#byDevice.values()].flatMap(({ device, signs, signArrivalMs: arrivalMs }) => {
      if (signs.length === 0) return []
      return [{ device, signs: signs.toSorted((a, b) => a.atMs - b.atMs), arrivalMs }]
    })
  }

  /** @param growths How devices with rated switches go on, as far as they do, by their ids in hexadecimal. */
  all(growths: ReadonlyMap<string, Growth>): DevicePresence[] {
    return [...this.#byDevice].map(([key, { device, states, overrides, signs, signArrivalMs, ...presence }]) => ({
      ...presence,
      growth: growths.get(key),
      switches: [...states.values()],
      overrides: [...overrides.values()],
    }))
  }

  #of(device: KnownDevice): Presence {
    const { id } = device
    const key = id.toHexString()
    const known = this.#byDevice.get(key)
    if (known !== undefined) return known
    const presence: Presence = {
      device,
      deviceId: id,
      states: new Map(),
      overrides: new Map(),
      signs: [],
      signArrivalMs: 0,
    }
    this.#byDevice.set(key, presence)
    return presence
  }
}

function later(known: Date | undefined, atMs: number): Date {
  return known !== undefined && known.getTime() >= atMs ? known : new Date(atMs)
}
