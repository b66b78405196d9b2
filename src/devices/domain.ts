import type { Database } from '../core/database.js'
import type { InputIn, StoredIn } from '../core/extension.js'
import { Repository } from '../core/repository/repository.js'
import { type Classroom, type ClassroomInput, classroomEntity } from './classroom.js'
import { type Device, type DeviceInput, deviceEntity } from './device.js'
import { DeviceRepository, type DeviceRepositoryNeeds } from './device-repository.js'

export type DevicesCollection = 'classrooms' | 'devices'

export const devicesEntities = { classrooms: classroomEntity, devices: deviceEntity } satisfies Record<
  DevicesCollection,
  object
>

/** Devices services: what sites and devices bring to the handle. */
export interface DevicesServices<Extended = object> {
  /** Rooms, homes and other sites that energy is accounted for. */
  readonly classrooms: Repository<
    StoredIn<Extended, 'classrooms', Classroom>,
    InputIn<Extended, 'classrooms', ClassroomInput>
  >
  /** The devices that are installed, with their switches. */
  readonly devices: DeviceRepository<StoredIn<Extended, 'devices', Device>, InputIn<Extended, 'devices', DeviceInput>>
}

/** What devices need of other domains. */
export type DevicesNeeds = Pick<DeviceRepositoryNeeds, 'ratedPowers'>

export function openDevices(
  database: Database,
  entities: typeof devicesEntities,
  { ratedPowers }: DevicesNeeds,
): DevicesServices {
  const classrooms = new Repository(database, entities.classrooms)
  return {
    classrooms,
    devices: new DeviceRepository(database, entities.devices, { classrooms, ratedPowers }),
  }
}
