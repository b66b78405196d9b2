import type { ObjectId } from 'mongodb'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import { type CostVersion, DEFAULT_TARIFF } from '../cost-version.js'
import { IntervalCalendar } from './interval-calendar.js'

export interface PlaceReaders {
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
  readonly costVersions: Reader<CostVersion>
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
  readonly #calendars = new Map<string, IntervalCalendar>()

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
  calendarOf(classroom: ObjectId): IntervalCalendar {
    const calendar = this.#calendars.get(classroom.toHexString())
    if (calendar === undefined) throw new Error(`The classroom ${classroom.toHexString()} was not loaded`)
    return calendar
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
    const deviceKey = deviceId.toHexString()
    if (!this.#devices.has(deviceKey)) {
      this.#devices.set(deviceKey, await this.#readers.devices.findOne({ _id: deviceId }, { withDeleted: true }))
    }
    const classroomKey = classroom.toHexString()
    if (!this.#calendars.has(classroomKey)) this.#calendars.set(classroomKey, await this.#calendarOf(classroom))
  }

  async #calendarOf(classroom: ObjectId): Promise<IntervalCalendar> {
    const found = await this.#readers.classrooms.findOne({ _id: classroom }, { withDeleted: true })
    const { timeZone = 'UTC', tariff = DEFAULT_TARIFF } = found ?? {}
    const versions: CostVersion[] = []
    for await (const version of this.#readers.costVersions.stream({ tariff })) versions.push(version)
    return new IntervalCalendar(timeZone, versions)
  }
}
