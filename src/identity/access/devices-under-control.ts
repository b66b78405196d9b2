import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreFilter } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Identified } from '../../core/entity.js'
import type { Binding } from './binding.js'
import type { DocumentScope } from './document-scope.js'
import { GuardedCollection } from './guarded-collection.js'

/** A device, as far as it matters who may control it. */
export interface DeviceInRoom extends Identified {
  readonly classroom?: ObjectId | undefined
  readonly deletedAt: Date | null
}

const projection = { classroom: 1 } as const

/** Which of many devices and classrooms a user may control: what {@link Binding.may} says of one, in two reads for all of them. */
export class DevicesUnderControl {
  readonly #database: Database
  readonly #devices: EntityCollection<DeviceInRoom>
  readonly #bindingOf: (user: ObjectId) => Binding

  constructor(database: Database, devices: EntityCollection<DeviceInRoom>, bindingOf: (user: ObjectId) => Binding) {
    this.#database = database
    this.#devices = devices
    this.#bindingOf = bindingOf
  }

  /** Those of the devices that the user may control; none for a user who is not active. */
  async devicesUnderControl(user: ObjectId, devices: readonly ObjectId[]): Promise<readonly ObjectId[]> {
    const scope = await this.#scopeOf(user)
    if (scope === 'all') return devices
    const found = await this.#within(scope, { _id: { $in: devices } })
    return found.map(({ _id }) => _id)
  }

  /** Those of the classrooms of which the user may control every device. */
  async classroomsUnderControl(user: ObjectId, classrooms: readonly ObjectId[]): Promise<readonly ObjectId[]> {
    const scope = await this.#scopeOf(user)
    if (scope === 'all') return classrooms
    const inRooms = { classroom: { $in: classrooms } }
    const allowed = new Set((await this.#within(scope, inRooms)).map(({ _id }) => _id.toHexString()))
    const all = await this.#devices.for('control').find<DeviceInRoom>({ ...inRooms, deletedAt: null }, { projection })
    const others = all.filter(({ _id }) => !allowed.has(_id.toHexString()))
    const lost = new Set(others.map(({ classroom }) => classroom?.toHexString()))
    return classrooms.filter((id) => !lost.has(id.toHexString()))
  }

  #scopeOf(user: ObjectId): Promise<DocumentScope> {
    return this.#bindingOf(user).scope('devices', 'control')
  }

  #within(read: DocumentScope, filter: StoreFilter<DeviceInRoom>): Promise<DeviceInRoom[]> {
    const documents = new GuardedCollection(this.#database, this.#devices.entity, { entity: 'devices', read })
    return documents.for('control').find<DeviceInRoom>({ ...filter, deletedAt: null }, { projection })
  }
}
