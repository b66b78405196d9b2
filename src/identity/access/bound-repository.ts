import { isDeepStrictEqual } from 'node:util'
import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Entity, Identified } from '../../core/entity.js'
import { isRecord } from '../../core/is-record.js'
import { type BulkOperation, type BulkResult, requireBatch, requireOperations } from '../../core/repository/bulk.js'
import { Repository, type UpdateOptions } from '../../core/repository/repository.js'
import { AccessDeniedError } from './access-denied-error.js'
import type { Binding, Given, Writes } from './binding.js'
import { GuardedCollection } from './guarded-collection.js'

/** A reader or a repository of whatever entity. */
export interface Bindable {
  readonly entity: Entity
  over(documents: EntityCollection<Identified>): object
}

/** What is read through the documents that the user may see. */
const reading = [
  'get',
  'findOne',
  'find',
  'page',
  'after',
  'count',
  'exists',
  'findByEmail',
  'findActive',
  'pageAround',
  'getStatistics',
  'findByMacAddress',
  'unreadCount',
  'findBySwitch',
  'findByClassroom',
  'searchDevices',
] as const
/** What looks at its arguments alone. */
const pure = [
  'fullName',
  'toSafeObject',
  'channelsAt',
  'isOnline',
  'getActiveSwitches',
  'getTotalPowerConsumption',
] as const
/** What sets the two fields of notifications that say whether they were read. */
const marking = ['markRead', 'markAllRead'] as const
const writing = ['create', 'createMany', 'update', 'upsert', 'delete', 'bulk'] as const

type BoundName =
  | (typeof reading)[number]
  | (typeof pure)[number]
  | (typeof writing)[number]
  | (typeof marking)[number]
  | 'stream'

/**
 * What a user may call of a repository. The rest is not there: the Mongoose model, documents that save themselves, change streams,
 * secrets, the restoring of what was deleted, and what takes passwords.
 */
export type BoundRepository<R> = Pick<R, keyof R & BoundName>

type Method = (...args: readonly unknown[]) => unknown
type Methods = Record<string, Method>

/** The methods of a reader or repository, bound to what a user may do. */
export function boundMethods(binding: Binding, name: string, repository: Bindable): Methods {
  const over = async () => guarded(binding, name, repository)
  const methods: Methods = {}
  for (const method of reading) {
    if (methodOf(repository, method) === undefined) continue
    methods[method] = async (...args) => call(await over(), method, args)
  }
  for (const method of pure) {
    if (methodOf(repository, method) === undefined) continue
    methods[method] = (...args) => call(repository, method, args)
  }
  for (const method of marking) {
    if (methodOf(repository, method) === undefined) continue
    const marks = { update: [{ unread: false, readAt: binding.database.clock.now() }] }
    methods[method] = audited(binding, async (...args) =>
      call(await guarded(binding, name, repository, marks), method, args),
    )
  }
  methods.stream = async function* (...args) {
    const visible = await over()
    yield* call(visible, 'stream', args) as AsyncGenerator<unknown, void, undefined>
  }
  return repository instanceof Repository ? { ...methods, ...boundWrites(binding, name, repository) } : methods
}

/** The repository over what the user may do with its documents in one call. */
export async function guarded(
  binding: Binding,
  name: string,
  repository: Bindable,
  writes: Writes = {},
): Promise<object> {
  const guard = await binding.guard(name, repository.entity, writes)
  const { entity } = repository
  const onRead = (documents: readonly object[]) => binding.noteRead(entity, documents)
  return repository.over(new GuardedCollection(binding.database, entity, { ...guard, onRead }))
}

/** A repository, as far as users write with it. */
interface Writable {
  create(input: object): Promise<Identified>
  createMany(inputs: readonly object[]): Promise<Identified[]>
  update(id: ObjectId | string, changes: object, options?: UpdateOptions): Promise<Identified>
  upsert(filter: object, input: object): Promise<Identified>
  delete(id: ObjectId | string, options?: UpdateOptions): Promise<void>
}

type Operation = BulkOperation<Identified, object>

function boundWrites(binding: Binding, name: string, repository: Bindable): Methods {
  const over = (writes: Writes) => guarded(binding, name, repository, writes) as Promise<Writable>
  const create = async (input: object) => {
    const given = ownFields(input)
    return (await over({ create: [given] })).create(given)
  }
  const createMany = async (inputs: readonly object[]) => {
    requireBatch(repository.entity, inputs)
    const given = inputs.map(ownFields)
    return (await over({ create: given })).createMany(given)
  }
  const update = async (id: ObjectId | string, changes: object, options?: UpdateOptions) => {
    const given = ownFields(changes)
    return (await over({ update: [given] })).update(id, given, options)
  }
  const upsert = async (filter: object, input: object) => {
    const [wanted, given] = [ownFields(filter), ownFields(input)]
    return (await over({ create: [given], update: [changedIn(wanted, given)] })).upsert(wanted, given)
  }
  const remove = async (id: ObjectId | string, options?: UpdateOptions) =>
    (await over({ delete: true })).delete(id, options)
  /** One after the other: each operation has rules of its own. */
  const bulk = async (operations: readonly Operation[]): Promise<BulkResult> => {
    requireBatch(repository.entity, operations)
    requireOperations(repository.entity, operations)
    return binding.database.transactions.run(async () => {
      const result = { created: [] as ObjectId[], updated: 0, deleted: 0 }
      for (const operation of operations) {
        if ('create' in operation) {
          result.created.push((await create(operation.create))._id)
        } else if ('update' in operation) {
          await update(operation.update, operation.changes, versionIn(operation))
          result.updated += 1
        } else {
          await remove(operation.delete, versionIn(operation))
          result.deleted += 1
        }
      }
      return result
    })
  }
  const methods = { create, createMany, update, upsert, delete: remove, bulk }
  return Object.fromEntries(
    Object.entries(methods).map(([method, write]) => [method, audited(binding, write as Method)]),
  )
}

/** Own fields alone, each read once: what is inherited or computed could be another value when it is looked at again. */
function ownFields(given: object): Given {
  return (isRecord(given) ? { ...given } : given) as Given
}

/** What of the input an upsert changes in a document that is there: that has the filter's values already. */
function changedIn(filter: Given, input: Given): Given {
  if (!isRecord(filter) || !isRecord(input)) return input
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => !isDeepStrictEqual(filter[name], value)))
}

function versionIn({ version }: { readonly version?: number }): UpdateOptions {
  return version === undefined ? {} : { version }
}

/** A write in the user's name. A denial is audited once, when the call has ended and whatever it wrote is taken back. */
export function audited(binding: Binding, method: Method): Method {
  return async (...args) => {
    try {
      return await binding.acting(async () => method(...args))
    } catch (error) {
      throw error instanceof AccessDeniedError ? await binding.denied(error) : error
    }
  }
}

export function methodOf(owner: object, name: string): Method | undefined {
  const value: unknown = Reflect.get(owner, name)
  return typeof value === 'function' ? (value as Method) : undefined
}

export function call(owner: object, name: string, args: readonly unknown[]): unknown {
  const method = methodOf(owner, name)
  return method === undefined ? undefined : Reflect.apply(method, owner, args)
}
