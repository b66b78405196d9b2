import type { ObjectId } from 'mongodb'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device, DeviceSwitch } from '../../devices/device.js'
import { DEFAULT_TARIFF } from './cost-version.js'
import type { PriceBook } from './price-book.js'
import { type SlotCalendar, sortedIds } from './slot-calendar.js'

/** Calendar and currency of a classroom: how its days are divided into slots, and what energy costs in them. */
export interface Pricing {
  readonly calendar: SlotCalendar
  /** ISO 4217; null where the tariff has no version. */
  readonly currency: string | null
}

/** Tariff, calendar and names for one device in one classroom. */
export interface PricingContext extends Pricing {
  readonly deviceName: string
  readonly tariff: string
  /** A switch without a document is named by its id, and has no type. */
  switchOf(switchId: string): Pick<DeviceSwitch, 'name'> & Partial<Pick<DeviceSwitch, 'type'>>
}

export interface PricingReaders {
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
}

/**
 * Directory of pricing contexts, of the devices and classrooms that were loaded. A device without a document is named by its
 * id; a classroom without one is in UTC and under the default tariff.
 */
export class PricingContexts {
  readonly #readers: PricingReaders
  readonly #prices: PriceBook
  readonly #classrooms = new Map<string, Classroom>()
  readonly #devices = new Map<string, Device>()

  constructor(readers: PricingReaders, prices: PriceBook) {
    this.#readers = readers
    this.#prices = prices
  }

  /** With all classrooms, which are few. */
  static async withAllClassrooms(readers: PricingReaders, prices: PriceBook): Promise<PricingContexts> {
    const contexts = new PricingContexts(readers, prices)
    await contexts.#loadAllClassrooms()
    return contexts
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

  of(deviceId: ObjectId, classroom: ObjectId): PricingContext {
    const id = deviceId.toHexString()
    const device = this.#devices.get(id)
    return {
      ...this.pricingOf(classroom),
      deviceName: device?.name ?? id,
      tariff: this.#tariffOf(classroom),
      switchOf: (switchId) => device?.switches.find(({ _id }) => _id.toHexString() === switchId) ?? { name: switchId },
    }
  }

  pricingOf(classroom: ObjectId): Pricing {
    return { calendar: this.calendarOf(classroom), currency: this.currencyOf(classroom) }
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
