import type { DevicePresence } from '../devices/device-repository.js'
import type { KnownDevice } from './device-directory.js'

/** How often a device's presence is written: often enough for any gap limit, which is at least a minute. */
const presencePeriodMs = 5_000

type Boot = NonNullable<DevicePresence['boot']>

/** What this process has written of devices' presence: it need not be written with every message. */
export class PresenceMemory {
  readonly #seenMs = new Map<string, number>()
  readonly #boots = new Map<string, Boot>()

  /** Whether it is time to write again when the device was last heard. */
  isDue({ id }: KnownDevice, arrivalMs: number): boolean {
    return arrivalMs - (this.#seenMs.get(id.toHexString()) ?? Number.NEGATIVE_INFINITY) >= presencePeriodMs
  }

  /** The device's last known run. */
  bootOf({ id, document }: KnownDevice): Boot | undefined {
    return this.#boots.get(id.toHexString()) ?? document.boot
  }

  stored(presences: readonly DevicePresence[]): void {
    for (const { deviceId, lastSeenAt, boot } of presences) {
      const key = deviceId.toHexString()
      if (lastSeenAt !== undefined) this.#seenMs.set(key, lastSeenAt.getTime())
      if (boot !== undefined) this.#boots.set(key, boot)
    }
  }
}
