import { ObjectId } from 'mongodb'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import { DEFAULT_TARIFF } from '../../energy/tariffs/cost-version.js'
import type { PricedClassroom } from '../../energy/tariffs/price-book.js'

/** What is known of rooms and devices, also of those that were deleted. */
export class Rooms {
  readonly #byId = new Map<string, Classroom>()
  readonly #byName = new Map<string, Classroom>()
  readonly #roomOfDevice = new Map<string, ObjectId>()
  readonly #onlySwitchOfDevice = new Map<string, ObjectId>()

  private constructor() {}

  static async read(classrooms: Reader<Classroom>, devices: Reader<Device>): Promise<Rooms> {
    const rooms = new Rooms()
    for await (const room of classrooms.stream({}, { withDeleted: true })) {
      rooms.#byId.set(room._id.toHexString(), room)
      // Of two of one name the one that is not deleted counts.
      if (room.deletedAt === null || !rooms.#byName.has(room.name)) rooms.#byName.set(room.name, room)
    }
    const fields = { select: ['classroom', 'switches'], withDeleted: true } as const
    for await (const { _id, classroom, switches } of devices.stream({}, fields)) {
      if (classroom !== undefined) rooms.#roomOfDevice.set(_id.toHexString(), classroom)
      const [only, ...more] = switches
      if (only !== undefined && more.length === 0) rooms.#onlySwitchOfDevice.set(_id.toHexString(), only._id)
    }
    return rooms
  }

  /** The room that a document names: by its id, also as digits, by its name, or where it names none the device's. */
  find(named: unknown, deviceId: ObjectId | undefined): ObjectId | undefined {
    if (named === undefined || named === null || named === '') return this.#ofDevice(deviceId)
    if (named instanceof ObjectId) return named
    if (typeof named !== 'string') return undefined
    const known = this.#byName.get(named.trim()) ?? this.#byId.get(named.toLowerCase())
    return known?._id
  }

  /** What energy costs by in a room, and which zone its days are in. */
  placeOf(classroom: ObjectId): PricedClassroom {
    const { tariff = DEFAULT_TARIFF, timeZone = 'UTC' } = this.#byId.get(classroom.toHexString()) ?? {}
    return { tariff, timeZone }
  }

  /** The switch of a device that has one alone. */
  onlySwitchOf(deviceId: ObjectId): ObjectId | undefined {
    return this.#onlySwitchOfDevice.get(deviceId.toHexString())
  }

  #ofDevice(deviceId: ObjectId | undefined): ObjectId | undefined {
    return deviceId === undefined ? undefined : this.#roomOfDevice.get(deviceId.toHexString())
  }
}
