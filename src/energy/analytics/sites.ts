import type { ObjectId } from 'mongodb'
import type { Clock } from '../../core/clock.js'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import { civilDayOf } from '../../metering/index.js'
import { addDays } from './periods.js'
import type { ParsedScope } from './questions.js'

/** A range of civil days that ends today, or where it is told to. */
export interface LastDays {
  readonly days: number
  readonly to?: string | undefined
}

/** Devices and the time zones of their classrooms, those that are deleted too: their energy is still asked for. */
export class Sites {
  readonly #classrooms: Reader<Classroom>
  readonly #devices: Reader<Device>
  readonly #clock: Clock

  constructor(classrooms: Reader<Classroom>, devices: Reader<Device>, clock: Clock) {
    this.#classrooms = classrooms
    this.#devices = devices
    this.#clock = clock
  }

  get nowMs(): number {
    return this.#clock.now().getTime()
  }

  /** @throws NotFoundError if there is no such device. */
  device(id: ObjectId): Promise<Device> {
    return this.#devices.get(id, { withDeleted: true })
  }

  /** The devices of some users, with their owners. */
  async ownedBy(owners: readonly ObjectId[]): Promise<Pick<Device, '_id' | 'owner' | 'classroom' | 'deletedAt'>[]> {
    if (owners.length === 0) return []
    const owned = this.#devices.stream(
      { owner: where.in(owners) },
      { select: ['owner', 'classroom', 'deletedAt'], withDeleted: true },
    )
    const found = []
    for await (const device of owned) found.push(device)
    return found
  }

  /** The devices that a question is about. */
  async devices({ classrooms, devices }: Omit<ParsedScope, 'from' | 'to'>): Promise<Device[]> {
    const filter = {
      ...(classrooms && { classroom: where.in(classrooms) }),
      ...(devices && { _id: where.in(devices) }),
    }
    const found = []
    for await (const device of this.#devices.stream(filter, { withDeleted: true })) found.push(device)
    return found
  }

  /**
   * The switches of which nobody can say what they use until they are heard of again, metered ones and those that are on,
   * with the classrooms that they are in. Those that are deleted are not waited for.
   */
  async untoldSwitches(devices: readonly ObjectId[]): Promise<Map<string, ObjectId>> {
    const found = new Map<string, ObjectId>()
    if (devices.length === 0) return found
    const own = this.#devices.stream({ _id: where.in(devices) }, { select: ['classroom', 'switches'] })
    for await (const { classroom, switches } of own) {
      for (const { _id, energySource, state } of switches) {
        if (energySource !== 'rated' || state === true) found.set(_id.toHexString(), classroom)
      }
    }
    return found
  }

  /** The zones of classrooms, of all of them if none are named. */
  async timeZones(classrooms?: readonly ObjectId[]): Promise<Set<string>> {
    const filter = classrooms === undefined ? {} : { _id: where.in(classrooms) }
    const zones = new Set<string>()
    const rooms = this.#classrooms.stream(filter, { select: ['timeZone'], withDeleted: true })
    for await (const { timeZone } of rooms) zones.add(timeZone)
    return zones
  }

  /** The last civil day that has ended in each of the zones. */
  lastEndedDay(timeZones: ReadonlySet<string>): string {
    return addDays(this.#todays(timeZones)[0] ?? '', -1)
  }

  /** The last days, up to the latest civil day that it is in any of the zones. */
  rangeOf({ days, to }: LastDays, timeZones: ReadonlySet<string>): { readonly from: string; readonly to: string } {
    const last = to ?? this.#todays(timeZones).at(-1) ?? ''
    return { from: addDays(last, 1 - days), to: last }
  }

  /** The civil days that it is in the zones, the earliest first. */
  #todays(timeZones: ReadonlySet<string>): string[] {
    const zones = timeZones.size === 0 ? ['UTC'] : [...timeZones]
    return zones.map((zone) => civilDayOf(this.nowMs, zone)).sort()
  }
}
