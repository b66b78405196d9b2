import type { ObjectId } from 'mongodb'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import { DEFAULT_TARIFF } from '../cost-version.js'
import type { PriceBook, PriceBookReader } from '../rollups/price-book.js'
import type { SlotCalendar } from '../rollups/slot-calendar.js'

export interface PlaceReaders {
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
  readonly prices: PriceBookReader
}

/** What intervals say of their switch. */
export interface SwitchNames {
  readonly deviceName: string
  readonly switchName: string
  readonly switchType: string | undefined
}

interface PlaceIds {
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
}

/**
 * The hours and prices of classrooms and the names of devices, as far as they were loaded; in the transaction that they are
 * loaded in, all of one moment.
 */
export class IntervalPlaces {
  readonly #readers: PlaceReaders
  readonly #devices = new Map<string, Device | null>()
  readonly #classrooms = new Map<string, Pick<Classroom, 'timeZone' | 'tariff'>>()
  #prices: PriceBook | undefined

  constructor(readers: PlaceReaders) {
    this.#readers = readers
  }

  /** Loads what is not known yet of the devices and classrooms. */
  async load(places: readonly PlaceIds[]): Promise<void> {
    let last: PlaceIds | undefined
    for (const place of places) {
      const isKnown = last?.deviceId.equals(place.deviceId) && last.classroom.equals(place.classroom)
      if (!isKnown) await this.#load(place)
      last = place
    }
  }

  /** @throws Error if the classroom was not loaded. */
  calendarOf(classroom: ObjectId): SlotCalendar {
    const { timeZone, tariff } = this.#classroomOf(classroom)
    return this.#book.calendarOf(tariff ?? DEFAULT_TARIFF, timeZone)
  }

  /** ISO 4217; null where the classroom's tariff has no version. @throws Error if the classroom was not loaded. */
  currencyOf(classroom: ObjectId): string | null {
    return this.#book.currencyOf(this.#classroomOf(classroom).tariff ?? DEFAULT_TARIFF)
  }

  /** What has no document any more goes by its id. */
  namesOf(deviceId: ObjectId, switchId: ObjectId): SwitchNames {
    const device = this.#devices.get(deviceId.toHexString())
    const known = device?.switches.find(({ _id }) => _id.equals(switchId))
    return {
      deviceName: device?.name ?? deviceId.toHexString(),
      switchName: known?.name ?? switchId.toHexString(),
      switchType: known?.type,
    }
  }

  async #load({ deviceId, classroom }: PlaceIds): Promise<void> {
    const { devices, classrooms, prices } = this.#readers
    this.#prices ??= await prices.read()
    const deviceKey = deviceId.toHexString()
    if (!this.#devices.has(deviceKey)) {
      this.#devices.set(deviceKey, await devices.findOne({ _id: deviceId }, { withDeleted: true }))
    }
    const classroomKey = classroom.toHexString()
    if (!this.#classrooms.has(classroomKey)) {
      const found = await classrooms.findOne({ _id: classroom }, { withDeleted: true, select: ['timeZone', 'tariff'] })
      this.#classrooms.set(classroomKey, found ?? { timeZone: 'UTC', tariff: undefined })
    }
  }

  get #book(): PriceBook {
    if (this.#prices === undefined) throw new Error('Nothing was loaded')
    return this.#prices
  }

  #classroomOf(classroom: ObjectId): Pick<Classroom, 'timeZone' | 'tariff'> {
    const found = this.#classrooms.get(classroom.toHexString())
    if (found === undefined) throw new Error(`The classroom ${classroom.toHexString()} was not loaded`)
    return found
  }
}
