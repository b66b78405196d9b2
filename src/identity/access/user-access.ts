import type { ObjectId } from 'mongodb'
import type { AuditLog } from '../../activity/audit-log.js'
import type { DataAccessLog } from '../../activity/data-access-log.js'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
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
import { type DeviceInRoom, DevicesUnderControl } from './devices-under-control.js'

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
  /** Which of many devices and classrooms users may control. */
  readonly control: DevicesUnderControl

  /** @throws DatabaseError `CONFIGURATION` for rules and scopes that are none. */
  constructor(database: Database, parts: AccessParts, options?: AccessOptions<string>) {
    this.#database = database
    this.#parts = parts
    this.#policy = new AccessPolicy(options, subjectsOf(parts), parts.users)
    this.control = new DevicesUnderControl(database, parts.devices, (user) => this.#binding(user))
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

  table(): AccessTableRow[] {
    return this.#policy.table()
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
