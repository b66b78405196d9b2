import type { DevicePresence } from '../devices/device-repository.js'
import type { KnownDevice } from './device-directory.js'

type Mutable<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] }
type SwitchState = DevicePresence['switches'][number]

interface Presence extends Mutable<Omit<DevicePresence, 'switches'>> {
  readonly states: Map<string, SwitchState>
}

/** What a batch tells about its devices: one presence each, however many messages there were. */
export class Presences {
  readonly #byDevice = new Map<string, Presence>()

  has(device: KnownDevice): boolean {
    return this.#byDevice.has(device.id.toHexString())
  }

  bootOf({ id }: KnownDevice): DevicePresence['boot'] {
    return this.#byDevice.get(id.toHexString())?.boot
  }

  /** A message came that is the device's, or says so. */
  seen(device: KnownDevice, atMs: number): void {
    const presence = this.#of(device)
    presence.lastSeenAt = later(presence.lastSeenAt, atMs)
  }

  /** A message came that is the device's beyond doubt. */
  alive(device: KnownDevice, atMs: number): void {
    const presence = this.#of(device)
    presence.lastSignOfLifeAt = later(presence.lastSignOfLifeAt, atMs)
  }

  /** What arrived last counts. */
  status(device: KnownDevice, status: 'online' | 'offline', atMs: number): void {
    Object.assign(this.#of(device), { status, statusAt: new Date(atMs) })
  }

  started(device: KnownDevice, boot: { readonly id: string; readonly startedAt: Date }): void {
    this.#of(device).boot = boot
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

  all(): DevicePresence[] {
    return [...this.#byDevice.values()].map(({ states, ...presence }) => ({
      ...presence,
      switches: [...states.values()],
    }))
  }

  #of({ id }: KnownDevice): Presence {
    const key = id.toHexString()
    const known = this.#byDevice.get(key)
    if (known !== undefined) return known
    const presence: Presence = { deviceId: id, states: new Map() }
    this.#byDevice.set(key, presence)
    return presence
  }
}

function later(known: Date | undefined, atMs: number): Date {
  return known !== undefined && known.getTime() >= atMs ? known : new Date(atMs)
}
