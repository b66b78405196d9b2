import type { ObjectId } from 'mongodb'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import type { PriceBook } from './price-book.js'
import type { SlotCalendar } from './slot-calendar.js'

/** What roll-ups of a device in a classroom are made with besides its energy. */
export interface RollUpPlace {
  readonly deviceName: string
  readonly tariff: string
  /** ISO 4217; null where the tariff has no version. */
  readonly currency: string | null
  readonly calendar: SlotCalendar
  switchName(switchId: string): string
}

export interface PlaceParts {
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
}

/** Looks up the names of devices and switches, and the time zones and tariffs of classrooms. */
export class Places {
  readonly #parts: PlaceParts
  readonly #prices: PriceBook
  readonly #classrooms = new Map<string, Classroom>()
  readonly #devices = new Map<string, Device>()

  constructor(parts: PlaceParts, prices: PriceBook) {
    this.#parts = parts
    this.#prices = prices
  }

  /** Reads all classrooms, which are few. */
  async loadClassrooms(): Promise<void> {
    for await (const one of this.#parts.classrooms.stream({}, { withDeleted: true })) {
      this.#classrooms.set(one._id.toHexString(), one)
    }
  }

  /** Reads what is not known yet of these. */
  async loadDevices(deviceIds: readonly ObjectId[]): Promise<void> {
    const unknown = deviceIds.filter((id) => !this.#devices.has(id.toHexString()))
    if (unknown.length === 0) return
    for await (const one of this.#parts.devices.stream({ _id: where.in(unknown) }, { withDeleted: true })) {
      this.#devices.set(one._id.toHexString(), one)
    }
  }

  /** The place of a device whose ids were loaded; what has no document any more goes by its id, in UTC. */
  of(deviceId: ObjectId, classroom: ObjectId): RollUpPlace {
    const id = deviceId.toHexString()
    const device = this.#devices.get(id)
    const tariff = this.#classrooms.get(classroom.toHexString())?.tariff ?? 'default'
    return {
      deviceName: device?.name ?? id,
      tariff,
      currency: this.#prices.currencyOf(tariff),
      calendar: this.calendarOf(classroom),
      switchName: (switchId) => device?.switches.find(({ _id }) => _id.toHexString() === switchId)?.name ?? switchId,
    }
  }

  /** The time zones of all classrooms, and of what has none. */
  zones(): string[] {
    return [...new Set(['UTC', ...[...this.#classrooms.values()].map(({ timeZone }) => timeZone)])]
  }

  calendarOf(classroom: ObjectId): SlotCalendar {
    const { timeZone = 'UTC', tariff = 'default' } = this.#classrooms.get(classroom.toHexString()) ?? {}
    return this.#prices.calendarOf(tariff, timeZone)
  }
}
