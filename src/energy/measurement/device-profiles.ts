import type { ObjectId } from 'mongodb'
import type { Clock } from '../../core/clock.js'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Device } from '../../devices/device.js'

/** Device profile: what measurements have to know of a registered device. */
export type DeviceProfile = Pick<Device, '_id' | (typeof profileFields)[number]>

const profileFields = [
  'classroom',
  'owner',
  'energyRole',
  'ledgerRecording',
  'reportingPeriodMs',
  'switches',
] as const satisfies readonly (keyof Device)[]

const freshMs = 10_000
const largestMemory = 100_000

/** The devices by their ids, read again after ten seconds. */
export class DeviceProfiles {
  readonly #devices: Reader<Device>
  readonly #clock: Clock
  readonly #read = new Map<string, { readonly profile: DeviceProfile | undefined; readonly atMs: number }>()

  constructor(devices: Reader<Device>, clock: Clock) {
    this.#devices = devices
    this.#clock = clock
  }

  /** The profiles of those of the devices that are registered, by their ids' digits. */
  async of(ids: Iterable<ObjectId>): Promise<ReadonlyMap<string, DeviceProfile>> {
    const nowMs = this.#clock.now().getTime()
    const wanted = new Map([...ids].map((id) => [id.toHexString(), id]))
    const stale = [...wanted].filter(([key]) => !this.#isFresh(key, nowMs))
    if (stale.length > 0) await this.#load(new Map(stale), nowMs)
    const profiles = new Map<string, DeviceProfile>()
    for (const key of wanted.keys()) {
      const profile = this.#read.get(key)?.profile
      if (profile !== undefined) profiles.set(key, profile)
    }
    return profiles
  }

  #isFresh(key: string, nowMs: number): boolean {
    const read = this.#read.get(key)
    return read !== undefined && Math.abs(nowMs - read.atMs) < freshMs
  }

  async #load(stale: ReadonlyMap<string, ObjectId>, atMs: number): Promise<void> {
    if (this.#read.size > largestMemory) this.#read.clear()
    const found = new Map<string, DeviceProfile>()
    const filter = { _id: where.in([...stale.values()]) }
    for await (const profile of this.#devices.stream(filter, {
      select: profileFields,
      withDeleted: true,
    })) {
      found.set(profile._id.toHexString(), profile)
    }
    for (const key of stale.keys()) this.#read.set(key, { profile: found.get(key), atMs })
  }
}
