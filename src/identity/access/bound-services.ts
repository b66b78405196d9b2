import type { ObjectId } from 'mongodb'
import type { Entity, StoredFields } from '../../core/entity.js'
import { DatabaseError, NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import { Reader } from '../../core/repository/reader.js'
import type { Repository } from '../../core/repository/repository.js'
import { UserPreferencesRepository } from '../preferences/user-preferences-repository.js'
import { Sessions } from '../sessions/sessions.js'
import type { AnyUser } from '../user.js'
import type { AccessAction } from './access-rule.js'
import type { Binding } from './binding.js'
import {
  audited,
  type Bindable,
  type BoundRepository,
  boundMethods,
  call,
  guarded,
  methodOf,
} from './bound-repository.js'
import { type BoundSessions, boundSessions } from './bound-sessions.js'

type Method = (...args: never) => unknown

/** A service that is called only if the user may use it: all of its methods or none. */
export type BoundService<Service> = {
  readonly [Name in keyof Service as Service[Name] extends Method ? Name : never]: Service[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

type Bound<Service> = Service extends Bindable
  ? BoundRepository<Service> & Pick<Service, keyof Service & OfPreferences>
  : Service extends Sessions<AnyUser>
    ? BoundSessions
    : BoundService<Service>

type OfPreferences = (typeof ofPreferences)[number]

/** The repositories and services of a handle as one user may use them. */
export type BoundServices<Services> = { readonly [Name in keyof Services]: Bound<Services[Name]> }

/** What else a handle that is bound to a user has. */
export interface AccessChecks {
  /**
   * Whether the user may do it: with a document, such as `may('control', 'devices', id)`; without an id, whether there is any
   * document that it is allowed with, or a service that may be used. @throws ValidationError for what is no id.
   */
  may(action: AccessAction, entity: string, id?: ObjectId | string): Promise<boolean>
  /** As {@link may}. @throws AccessDeniedError, which is audited; NotFoundError for a document that may not be read either. */
  require(action: AccessAction, entity: string, id?: ObjectId | string): Promise<void>
  /** The repository of an entity of the host's own. @throws DatabaseError `CONFIGURATION` for one that is not among `hostEntities`. */
  repository<S extends StoredFields, I extends object>(entity: Entity<S, I>): BoundRepository<Repository<S, I>>
}

/** Where a bound handle has its repositories and services from. */
export interface BoundParts {
  readonly services: Readonly<Record<string, object>>
  readonly hostRepository: (entity: unknown) => Bindable | undefined
}

const ofPreferences = ['forUser', 'changeForUser', 'shortForUser'] as const

/** The repositories and services, bound. Nothing is read until one of them is called. */
export function boundServices(binding: Binding, { services, hostRepository }: BoundParts): object {
  const bound = Object.entries(services).map(([name, service]) => [name, boundOf(binding, name, service)])
  const entityOf = (name: string): Entity | undefined => {
    const service = Object.hasOwn(services, name) ? services[name] : hostRepository(name)
    return service instanceof Reader ? service.entity : undefined
  }
  const checks = {
    may: (action: AccessAction, name: string, id?: ObjectId | string) => binding.may(action, name, entityOf(name), id),
    require: (action: AccessAction, name: string, id?: ObjectId | string) =>
      binding.require(action, name, entityOf(name), id),
    repository: (entity: Entity) => {
      const repository = hostRepository(entity)
      if (repository === undefined)
        throw new DatabaseError('CONFIGURATION', 'Only entities among `hostEntities` can be bound to a user')
      return boundMethods(binding, repository.entity.name, repository)
    },
  }
  return { ...Object.fromEntries(bound), ...checks }
}

function boundOf(binding: Binding, name: string, service: object): object {
  if (service instanceof UserPreferencesRepository)
    return { ...boundMethods(binding, name, service), ...preferenceMethods(binding, name, service) }
  if (service instanceof Reader) return boundMethods(binding, name, service)
  if (service instanceof Sessions) return boundSessions(binding, name, service)
  return new Proxy(Object.freeze({}), {
    get: (_target, method) => {
      if (typeof method !== 'string' || method in Object.prototype || methodOf(service, method) === undefined)
        return undefined
      return async (...args: unknown[]) => {
        await binding.require('use', name)
        return binding.acting(async () => call(service, method, args))
      }
    },
  })
}

/** The user's own preferences are created at the first read; those of others are found, or not there. */
function preferenceMethods(binding: Binding, name: string, repository: UserPreferencesRepository): object {
  const bound = boundMethods(binding, name, repository)
  return Object.fromEntries(
    ofPreferences.map((method) => [
      method,
      audited(binding, async (user, ...args) => {
        const id = toObjectId(user as ObjectId)
        if (!id.equals(binding.userId) && (await bound.findOne?.({ user: id })) === null)
          throw new NotFoundError(repository.entity.name, `user ${id.toHexString()}`)
        const [changes] = args
        const writes = {
          create: [{ user: id }],
          ...(method === 'changeForUser' ? { update: [{ ...Object(changes) }] } : {}),
        }
        return call(await guarded(binding, name, repository, writes), method, [id, ...args])
      }),
    ]),
  )
}
