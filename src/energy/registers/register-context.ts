import type { ObjectId } from 'mongodb'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import type { RegisterMark } from '../register-marks/register-mark.js'
import { DEFAULT_TARIFF } from '../tariffs/cost-version.js'
import type { PricedClassroom, Prices } from '../tariffs/price-book.js'

/** Devices and energy prices for the registers that marks ask for. */
export interface RegisterContext {
  deviceOf(id: ObjectId): Device | undefined
  /** Currency units per kWh. */
  readonly priceAt: (classroom: ObjectId, atMs: number) => number
}

export interface RegisterContextReaders {
  readonly devices: Reader<Device>
  readonly classrooms: Reader<Classroom>
  readonly prices: Prices
}

const unknownClassroom: PricedClassroom = { timeZone: 'UTC', tariff: DEFAULT_TARIFF }

export async function registerContextOf(
  marks: readonly RegisterMark[],
  { devices, classrooms, prices }: RegisterContextReaders,
): Promise<RegisterContext> {
  const ids = new Map(marks.map(({ deviceId }) => [deviceId.toHexString(), deviceId]))
  const known = new Map<string, Device>()
  const filter = { _id: where.in([...ids.values()]) }
  for await (const device of devices.stream(filter, { withDeleted: true })) known.set(device._id.toHexString(), device)
  // A device may have been elsewhere when it measured: classrooms are few.
  const places = new Map<string, PricedClassroom>()
  for await (const { _id, timeZone, tariff = DEFAULT_TARIFF } of classrooms.stream({}, { withDeleted: true })) {
    places.set(_id.toHexString(), { timeZone, tariff })
  }
  return {
    deviceOf: (id) => known.get(id.toHexString()),
    priceAt: (classroom, atMs) => prices.at(places.get(classroom.toHexString()) ?? unknownClassroom, atMs),
  }
}
