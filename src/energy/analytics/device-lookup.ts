import type { ObjectId } from 'mongodb'
import type { Clock } from '../../core/clock.js'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import { civilDayOf, endOfCivilDay } from '../../metering/index.js'
import { addDays } from '../days.js'
import type { ParsedScope } from './questions.js'

/** A range of civil days that ends today, or on a given day. */
export interface LastDays {
  readonly days: number
  readonly to?: string | undefined
}

/** Look-up of devices and the time zones of their classrooms, deleted ones included: reports still cover their energy. */
export class DeviceLookup {
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
   * The switches whose use is unknown until their next report: metered ones and those that are on, with their classrooms.
   * Deleted switches are left out.
   */
  async unreportedSwitches(devices: readonly ObjectId[]): Promise<Map<string, ObjectId>> {
    const found = new Map<string, ObjectId>()
    if (devices.length === 0) return found
    const own = this.#devices.stream({ _id: where.in(devices) }, { select: ['classroom', 'switches'] })
    for await (const { classroom, switches } of own) {
      for (const { _id, energySource, state } of switches) {
        if (classroom !== undefined && (energySource !== 'rated' || state === true))
          found.set(_id.toHexString(), classroom)
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
    const [ended = ''] = zonesOrUtc(timeZones)
      .map((zone) => lastEndedDay(this.nowMs, zone))
      .sort()
    return ended
  }

  /** The last days, up to the latest civil day that it is in any of the zones. */
  rangeOf({ days, to }: LastDays, timeZones: ReadonlySet<string>): { readonly from: string; readonly to: string } {
    const todays = zonesOrUtc(timeZones).map((zone) => civilDayOf(this.nowMs, zone))
    const last = to ?? todays.sort().at(-1) ?? ''
    return { from: addDays(last, 1 - days), to: last }
  }
}

function zonesOrUtc(timeZones: ReadonlySet<string>): readonly string[] {
  return timeZones.size === 0 ? ['UTC'] : [...timeZones]
}

/** The day before, unless clocks are about to be put back into it. */
function lastEndedDay(nowMs: number, timeZone: string): string {
  const yesterday = addDays(civilDayOf(nowMs, timeZone), -1)
  return endOfCivilDay(yesterday, timeZone) <= nowMs ? yesterday : addDays(yesterday, -1)
}
