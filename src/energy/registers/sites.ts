import type { ObjectId } from 'mongodb'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import { DEFAULT_TARIFF } from '../tariffs/cost-version.js'
import type { PricedPlace, Prices } from '../tariffs/price-book.js'
import type { RegisterMark } from './register-mark.js'

/** The devices that marks are about, and what energy costs where. */
export interface Sites {
  deviceOf(id: ObjectId): Device | undefined
  /** Currency units per kWh. */
  readonly priceAt: (classroom: ObjectId, atMs: number) => number
}

export interface SiteReaders {
  readonly devices: Reader<Device>
  readonly classrooms: Reader<Classroom>
  readonly prices: Prices
}

const unknownPlace: PricedPlace = { timeZone: 'UTC', tariff: DEFAULT_TARIFF }

export async function sitesOf(
  marks: readonly RegisterMark[],
  { devices, classrooms, prices }: SiteReaders,
): Promise<Sites> {
  const ids = new Map(marks.map(({ deviceId }) => [deviceId.toHexString(), deviceId]))
  const known = new Map<string, Device>()
  const filter = { _id: where.in([...ids.values()]) }
  for await (const device of devices.stream(filter, { withDeleted: true })) known.set(device._id.toHexString(), device)
  // A device may have been elsewhere when it measured: classrooms are few.
  const places = new Map<string, PricedPlace>()
  for await (const { _id, timeZone, tariff = DEFAULT_TARIFF } of classrooms.stream({}, { withDeleted: true })) {
    places.set(_id.toHexString(), { timeZone, tariff })
  }
  return {
    deviceOf: (id) => known.get(id.toHexString()),
    priceAt: (classroom, atMs) => prices.at(places.get(classroom.toHexString()) ?? unknownPlace, atMs),
  }
}
