import type { ObjectId } from 'mongodb'
import type { AuditLog } from '../../activity/audit-log.js'
import type { DataAccessLog } from '../../activity/data-access-log.js'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreFilter } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity, EntityDescription, Identified } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import { isRecord } from '../../core/is-record.js'
import { Reader } from '../../core/repository/reader.js'
import type { AnyUser } from '../user.js'
import { AccessPolicy } from './access-policy.js'
import type { AccessOptions, AccessTableRow } from './access-rule.js'
import { Binding } from './binding.js'
import type { Bindable } from './bound-repository.js'
import { boundServices } from './bound-services.js'
import { DenialLimit } from './denial-limit.js'
import { GuardedCollection } from './guarded-collection.js'

/** A device, as far as it matters who may control it. */
interface DeviceInRoom extends Identified {
  readonly classroom?: ObjectId | undefined
  readonly deletedAt: Date | null
}

const placed = { classroom: 1 } as const

/** What a handle has that users may be allowed. */
export interface AccessParts {
  readonly devices: EntityCollection<DeviceInRoom>
  readonly users: Entity<AnyUser>
  readonly auditLog: AuditLog
  readonly dataAccessLog: DataAccessLog | undefined
  readonly services: Readonly<Record<string, object>>
  readonly hostEntities: readonly Entity[]
  readonly hostRepository: (entity: Entity) => Bindable
}

/** Binds a handle to users. */
export class UserAccess {
  readonly #database: Database
  readonly #parts: AccessParts
  readonly #policy: AccessPolicy
  readonly #denials = new DenialLimit()

  /** @throws DatabaseError `CONFIGURATION` for rules and scopes that are none. */
  constructor(database: Database, parts: AccessParts, options?: AccessOptions<string>) {
    this.#database = database
    this.#parts = parts
    this.#policy = new AccessPolicy(options, subjectsOf(parts), parts.users)
  }

  /** The repositories and services as the user may use them. @throws ValidationError for what is no id. */
  bind(user: ObjectId | string | Identified): object {
    const { services, hostEntities, hostRepository } = this.#parts
    const binding = this.#binding(
      toObjectId(isRecord(user) && '_id' in user ? (user._id as ObjectId) : (user as ObjectId)),
    )
    return boundServices(binding, {
      services,
      hostRepository: (known) => {
        const entity = hostEntities.find((one) => one === known || one.name === known)
        return entity && hostRepository(entity)
      },
    })
  }

  /** Those of the devices that the user may control; none for a user who is not active. */
  async devicesUnderControl(user: ObjectId, devices: readonly ObjectId[]): Promise<ObjectId[]> {
    const found = await this.#controlled(user, { _id: { $in: devices } })
    return found.map(({ _id }) => _id)
  }

  /** Those of the classrooms of which the user may control every device. */
  async classroomsUnderControl(user: ObjectId, classrooms: readonly ObjectId[]): Promise<ObjectId[]> {
    const inRooms = { classroom: { $in: classrooms } }
    const all = await this.#parts.devices.find<DeviceInRoom>({ ...inRooms, deletedAt: null }, { projection: placed })
    const allowed = new Set((await this.#controlled(user, inRooms)).map(({ _id }) => _id.toHexString()))
    const others = all.filter(({ _id }) => !allowed.has(_id.toHexString()))
    const lost = new Set(others.map(({ classroom }) => classroom?.toHexString()))
    return classrooms.filter((id) => !lost.has(id.toHexString()))
  }

  table(): AccessTableRow[] {
    return this.#policy.table()
  }

  async #controlled(user: ObjectId, filter: StoreFilter<DeviceInRoom>): Promise<DeviceInRoom[]> {
    const { devices } = this.#parts
    const read = await this.#binding(user).scope('devices', 'control')
    const documents = new GuardedCollection(this.#database, devices.entity, { entity: 'devices', read })
    return documents.for('control').find<DeviceInRoom>({ ...filter, deletedAt: null }, { projection: placed })
  }

  #binding(user: ObjectId): Binding {
    const { users, auditLog, dataAccessLog } = this.#parts
    const [database, policy, denials] = [this.#database, this.#policy, this.#denials]
    return new Binding({ database, users, policy, auditLog, dataAccessLog, denials }, user)
  }
}

/** What rules can be about. @throws DatabaseError `CONFIGURATION` for an entity that is called as one of ours. */
function subjectsOf({ services, hostEntities }: AccessParts): ReadonlyMap<string, EntityDescription | null> {
  const subjects = new Map<string, EntityDescription | null>(
    Object.entries(services).map(([name, service]) => [name, service instanceof Reader ? service.entity : null]),
  )
  for (const entity of hostEntities) {
    if (subjects.has(entity.name))
      throw new DatabaseError('CONFIGURATION', `An entity of the host's cannot be called ${entity.name}`)
    subjects.set(entity.name, entity)
  }
  return subjects
}
