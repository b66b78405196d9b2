import type { ObjectId } from 'mongodb'
import { where } from '../core/repository/conditions.js'
import type { Reader } from '../core/repository/reader.js'
import type { Classroom } from '../devices/classroom.js'
import type { Device, DeviceSwitch } from '../devices/device.js'
import { DEFAULT_TARIFF } from './tariffs/cost-version.js'
import type { PriceBook } from './tariffs/price-book.js'
import { type SlotCalendar, sortedIds } from './tariffs/slot-calendar.js'

/** What is made of a device's energy in a classroom is made with this. */
export interface Place {
  readonly deviceName: string
  readonly tariff: string
  /** ISO 4217; null where the tariff has no version. */
  readonly currency: string | null
  readonly calendar: SlotCalendar
  /** What has no document any more goes by its id, and has no type. */
  switchOf(switchId: string): Pick<DeviceSwitch, 'name'> & Partial<Pick<DeviceSwitch, 'type'>>
}

export interface PlaceReaders {
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
}

/**
 * Looks up the names of devices and switches, and the time zones and tariffs of classrooms, as far as they were loaded; what
 * has no document goes by its id, in UTC and under the default tariff.
 */
export class Places {
  readonly #readers: PlaceReaders
  readonly #prices: PriceBook
  readonly #classrooms = new Map<string, Classroom>()
  readonly #devices = new Map<string, Device>()

  constructor(readers: PlaceReaders, prices: PriceBook) {
    this.#readers = readers
    this.#prices = prices
  }

  /** With all classrooms, which are few. */
  static async withAllClassrooms(readers: PlaceReaders, prices: PriceBook): Promise<Places> {
    const places = new Places(readers, prices)
    await places.#loadAllClassrooms()
    return places
  }

  async #loadAllClassrooms(): Promise<void> {
    for await (const one of this.#readers.classrooms.stream({}, { withDeleted: true })) {
      this.#classrooms.set(one._id.toHexString(), one)
    }
  }

  /** Reads what is not known yet of these. */
  async loadClassrooms(ids: readonly ObjectId[]): Promise<void> {
    const unknown = unknownOf(ids, this.#classrooms)
    if (unknown.length === 0) return
    for await (const one of this.#readers.classrooms.stream({ _id: where.in(unknown) }, { withDeleted: true })) {
      this.#classrooms.set(one._id.toHexString(), one)
    }
  }

  /** Reads what is not known yet of these. */
  async loadDevices(ids: readonly ObjectId[]): Promise<void> {
    const unknown = unknownOf(ids, this.#devices)
    if (unknown.length === 0) return
    for await (const one of this.#readers.devices.stream({ _id: where.in(unknown) }, { withDeleted: true })) {
      this.#devices.set(one._id.toHexString(), one)
    }
  }

  of(deviceId: ObjectId, classroom: ObjectId): Place {
    const id = deviceId.toHexString()
    const device = this.#devices.get(id)
    const tariff = this.#tariffOf(classroom)
    return {
      deviceName: device?.name ?? id,
      tariff,
      currency: this.#prices.currencyOf(tariff),
      calendar: this.calendarOf(classroom),
      switchOf: (switchId) => device?.switches.find(({ _id }) => _id.toHexString() === switchId) ?? { name: switchId },
    }
  }

  /** ISO 4217; null where the classroom's tariff has no version. */
  currencyOf(classroom: ObjectId): string | null {
    return this.#prices.currencyOf(this.#tariffOf(classroom))
  }

  /** The time zones of all classrooms, and of what has none. */
  zones(): string[] {
    return [...new Set(['UTC', ...[...this.#classrooms.values()].map(({ timeZone }) => timeZone)])]
  }

  calendarOf(classroom: ObjectId): SlotCalendar {
    const { timeZone = 'UTC' } = this.#classrooms.get(classroom.toHexString()) ?? {}
    return this.#prices.calendarOf(this.#tariffOf(classroom), timeZone)
  }

  #tariffOf(classroom: ObjectId): string {
    return this.#classrooms.get(classroom.toHexString())?.tariff ?? DEFAULT_TARIFF
  }
}

function unknownOf(ids: readonly ObjectId[], known: ReadonlyMap<string, unknown>): ObjectId[] {
  return sortedIds(ids).filter((id) => !known.has(id.toHexString()))
}
