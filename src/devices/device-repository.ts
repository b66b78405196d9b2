import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreFilter } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { ConflictError } from '../core/errors.js'
import { toObjectId } from '../core/fields.js'
import { isRecord } from '../core/is-record.js'
import { type BulkOperation, type BulkResult, requireBatch, requireOperations } from '../core/repository/bulk.js'
import type { Changes } from '../core/repository/changes.js'
import { type Filter, where } from '../core/repository/conditions.js'
import type { Reader } from '../core/repository/reader.js'
import { Repository, type UpdateOptions } from '../core/repository/repository.js'
import { requireOptions, type Sort } from '../core/repository/selection.js'
import { retryCreation } from '../core/retry-on-conflict.js'
import type { Classroom } from './classroom.js'
import { classroomIdOf, hexadecimalId } from './classroom-id.js'
import type { Device, DeviceInput, DeviceSwitch } from './device.js'
import { withAssignments } from './device-assignments.js'
import { type DevicePresence, presenceUpdate } from './device-presence.js'
import { identityOf, requireRegistered } from './device-registration.js'
import { type DeviceSearch, type DeviceSearchPage, type FoundDevices, searchQuery } from './device-search.js'
import { activeSwitchesOf, isOnlineAt, ratedPowerOf } from './device-state.js'
import { keepSwitches } from './kept-switches.js'
import { normalizeMacAddress } from './mac-address.js'
import { lacksRating, type RatedPowers, withRatings } from './rated-switches.js'
import { SilenceSweep, type SilenceSweepOptions } from './silence-sweep.js'
import { switchStateChange } from './switch-state.js'

/** What the repository of devices needs besides. */
export interface DeviceRepositoryNeeds {
  readonly classrooms: Reader<Classroom>
  /** W by type of load, as the host has set them. */
  readonly ratedPowers: () => Promise<RatedPowers>
}

export interface FindByClassroomOptions {
  /** 100 if left out, 1,000 at most. */
  readonly limit?: number
}

/** The devices, and what ingestion keeps of them. */
export class DeviceRepository<Stored extends Device = Device, Input extends object = DeviceInput> extends Repository<
  Stored,
  Input
> {
  readonly #needs: DeviceRepositoryNeeds

  constructor(
    database: Database,
    entity: Entity<Stored, Input>,
    needs: DeviceRepositoryNeeds,
    documents?: EntityCollection<Stored>,
  ) {
    super(database, entity, documents)
    this.#needs = needs
  }

  /** @internal */
  override over(documents: EntityCollection<Stored>): DeviceRepository<Stored, Input> {
    return new DeviceRepository(this.database, this.entity, this.#needs, documents)
  }

  /** The device with this MAC address, in any spelling; null if there is none. */
  async findByMacAddress(macAddress: string): Promise<Stored | null> {
    const normalized = normalizeMacAddress(macAddress)
    if (normalized === undefined) return null
    return (await this.findOne({ macAddress: normalized } as Filter<Stored>)) as Stored | null
  }

  /** The device's secret in clear, for commands and for comparing. @throws NotFoundError if it has none. */
  revealDeviceSecret(id: ObjectId | string): Promise<string> {
    return this.revealSecretNamed(id, 'secret')
  }

  /** The device of a switch, by its id, or by what an origin system calls it; null if there is none. */
  async findBySwitch(id: ObjectId | string): Promise<Stored | null> {
    const isId = typeof id !== 'string' || hexadecimalId.test(id)
    const byId = isId ? await this.findOne(filterOf<Stored>({ 'switches._id': toObjectId(id) })) : null
    if (byId !== null || typeof id !== 'string' || id === '') return byId as Stored | null
    return (await this.findOne(filterOf<Stored>({ 'switches.externalId': id }))) as Stored | null
  }

  /**
   * The devices of a classroom, by its id or its name, that are not in maintenance, by name.
   * @throws ValidationError for a limit that is none.
   */
  async findByClassroom(classroom: ObjectId | string, options: FindByClassroomOptions = {}): Promise<Stored[]> {
    requireOptions(options, ['limit'])
    const room = await classroomIdOf(this.#needs.classrooms, classroom)
    if (room === undefined) return []
    const filter = filterOf<Stored>({ classroom: room, status: where.ne('maintenance') })
    return (await this.find(filter, { ...options, sort: { name: 1, _id: 1 } as Sort<Stored> })) as Stored[]
  }

  /** All devices of a classroom that may be sent something: in service, and not in maintenance. @internal */
  async allInService(classroom: ObjectId | string): Promise<Stored[]> {
    const room = await classroomIdOf(this.#needs.classrooms, classroom)
    const found: Stored[] = []
    if (room === undefined) return found
    const filter = filterOf<Stored>({ classroom: room, status: where.ne('maintenance'), service: 'active' })
    for await (const device of this.stream(filter)) found.push(device as Stored)
    return found
  }

  /**
   * The devices that are as the search says: by name, or where words or a place are searched in the order of the index.
   * @throws ValidationError.
   */
  async searchDevices(search: DeviceSearch, options: DeviceSearchPage = {}): Promise<FoundDevices<Stored>> {
    const { filter, sort, page, limit } = searchQuery(search, options)
    const found = await this.documents.for('searchDevices').find(filter as StoreFilter<Stored>, {
      ...(sort === undefined ? {} : { sort }),
      projection: this.#withoutSecrets,
      skip: (page - 1) * limit,
      limit: limit + 1,
    })
    const items = found.slice(0, limit).map((document) => this.shown<Stored>(document))
    return { items, nextPage: found.length > limit ? page + 1 : null }
  }

  /** Whether the device is online: it is said to be, and was seen within five minutes, or the time given. */
  isOnline(device: Pick<Device, 'status' | 'lastSeenAt'>, withinMs?: number): boolean {
    return isOnlineAt(device, this.database.clock.now().getTime(), withinMs)
  }

  /** The device's switches that are on, as far as is known. */
  getActiveSwitches(device: Pick<Device, 'switches'>): DeviceSwitch[] {
    return activeSwitchesOf(device)
  }

  /** W; what the device's loads that are on take by their ratings. */
  getTotalPowerConsumption(device: Pick<Device, 'switches'>): number {
    return ratedPowerOf(device)
  }

  /**
   * Creates a device for its owner, or gives back the one that is registered with the same MAC address and external id:
   * a registration that is repeated changes nothing.
   * @throws ValidationError; ConflictError if only one of the two is known, or each is another device's, or another owner's.
   */
  async registerDevice(owner: ObjectId | string, input: Input): Promise<Stored> {
    const given = { ...input, owner: toObjectId(owner) }
    try {
      return await this.create(given)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      const { macAddress, externalId } = identityOf(given)
      const [byAddress, byId] = await Promise.all([
        macAddress === undefined ? null : this.findByMacAddress(macAddress),
        externalId === undefined ? null : this.findOne(filterOf<Stored>({ owner: given.owner, externalId })),
      ])
      return requireRegistered(given, { byAddress, byId: byId as Stored | null }, error)
    }
  }

  /**
   * Sets what a switch is known to be, for hosts whose devices report by a road of their own. It moves nothing, and is no
   * entry of the ledger; older news does not replace newer.
   * @returns the device as it is then; null if it has no such switch, or something later is known of it.
   */
  async setSwitchState(
    device: ObjectId | string,
    switchId: ObjectId | string,
    state: boolean,
    at: Date = this.database.clock.now(),
  ): Promise<Stored | null> {
    const { filter, update } = switchStateChange({ device, switchId, state, at })
    const found = await this.documents
      .for('setSwitchState')
      .findOneAndUpdate(filter as StoreFilter<Stored>, update, { projection: this.#withoutSecrets })
    return found === null ? null : this.shown<Stored>(found)
  }

  /** Begins to mark devices that say nothing any more as `offline`, until it is stopped or the handle is closed. @throws ValidationError. */
  startSilenceSweep(options: SilenceSweepOptions = {}): () => Promise<void> {
    return new SilenceSweep(this.database, this.database.of<Device>(this.entity), options).start()
  }

  /** As every repository's; a switch without a rating gets that of its type in the power settings. */
  override async create(input: Input): Promise<Stored> {
    return super.create(await this.#rated(input))
  }

  /** As every repository's, see {@link create}. */
  override async createMany(inputs: readonly Input[]): Promise<Stored[]> {
    requireBatch(this.entity, inputs)
    return super.createMany(await Promise.all(inputs.map((input) => this.#rated(input))))
  }

  /** As every repository's; a list of switches keeps their ids by gpio, as {@link upsert} does. */
  override async update(
    id: ObjectId | string,
    changes: Changes<Stored, Input>,
    options: UpdateOptions = {},
  ): Promise<Stored> {
    const switches = listIn(changes)
    if (switches === undefined) return super.update(id, changes, options)
    const _id = toObjectId(id)
    return this.database.transactions.run(async () => {
      const known = await this.#switchesOf([_id])
      const kept = await this.#kept(switches, known.get(_id.toHexString()))
      return super.update(id, { ...changes, switches: kept }, options)
    })
  }

  /**
   * As every repository's. A switch that is given without an id is the device's switch with the same gpio, and keeps its id
   * and so its chain in the ledger. To move a switch to another gpio, give its id; with an id of its own that the device does
   * not know it is refused.
   */
  override async upsert(filter: Filter<Stored>, input: Input): Promise<Stored> {
    const switches = listIn(input)
    if (switches === undefined) return super.upsert(filter, input)
    return retryCreation(this.database, () =>
      this.database.transactions.run(async () => {
        const known = await this.findOne(filter)
        return super.upsert(filter, { ...input, switches: await this.#kept(switches, known?.switches) })
      }),
    )
  }

  /** As every repository's; lists of switches keep their ids as in {@link update}. */
  override async bulk(operations: readonly BulkOperation<Stored, Input>[]): Promise<BulkResult> {
    requireBatch(this.entity, operations)
    requireOperations(this.entity, operations)
    const changed = operations.flatMap((one) =>
      'update' in one && listIn(one.changes) !== undefined ? [toObjectId(one.update)] : [],
    )
    const creates = operations.some((one) => 'create' in one)
    if (changed.length === 0 && !creates) return super.bulk(operations)
    return this.database.transactions.run(async () => {
      const known = await this.#switchesOf(changed)
      const kept = operations.map(async (one) => {
        if ('create' in one) return { create: await this.#rated(one.create) }
        const switches = 'update' in one ? listIn(one.changes) : undefined
        if (!('update' in one) || switches === undefined) return one
        const list = await this.#kept(switches, known.get(toObjectId(one.update).toHexString()))
        return { ...one, changes: { ...one.changes, switches: list } }
      })
      return super.bulk(await Promise.all(kept))
    })
  }

  /**
   * Stores what was learnt, one write for many devices. Older news never replaces newer, so it may come late, repeatedly
   * and from several processes; the documents' versions do not change. @internal
   */
  async recordPresence(presences: readonly DevicePresence[]): Promise<void> {
    const writes = presences.map((presence) => ({ update: { _id: presence.deviceId }, by: presenceUpdate(presence) }))
    await this.documents.for('recordPresence').bulkWrite(writes)
  }

  /** As every repository's; what a device was assigned to before is kept with it. */
  protected override async changing<Result>(
    filter: StoreFilter<Stored>,
    fields: readonly string[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (!fields.some((field) => field === 'classroom' || field === 'owner')) return work()
    // Kept by the library, whatever the caller may write.
    const documents = this.database.of<Stored>(this.entity).for('update')
    return this.database.transactions.run(() => withAssignments(documents, filter, this.database.clock.now(), work))
  }

  /** The switches as they are given, with their ids and ratings. */
  async #kept(given: readonly unknown[], known: Device['switches'] = []): Promise<unknown[]> {
    const kept = keepSwitches(given, known)
    return lacksRating(kept) ? withRatings(kept, await this.#needs.ratedPowers()) : kept
  }

  async #rated(input: Input): Promise<Input> {
    const switches = listIn(input)
    if (switches === undefined || !lacksRating(switches)) return input
    return { ...input, switches: withRatings(switches, await this.#needs.ratedPowers()) }
  }

  get #withoutSecrets(): Record<string, 0> {
    return Object.fromEntries(this.entity.hidden.map((name) => [name, 0]))
  }

  /** The switches of devices, by their ids. */
  async #switchesOf(ids: readonly ObjectId[]): Promise<Map<string, Device['switches']>> {
    const query = { _id: { $in: ids } } as StoreFilter<Stored>
    const found = await this.documents.find<Pick<Device, '_id' | 'switches'>>(query, { projection: { switches: 1 } })
    return new Map(found.map(({ _id, switches }) => [_id.toHexString(), switches]))
  }
}

/** The list of switches in an input, or in changes. */
function listIn(given: unknown): readonly unknown[] | undefined {
  const switches = isRecord(given) ? given.switches : undefined
  return Array.isArray(switches) ? switches : undefined
}

/** The filter on our fields: the types of a host's device do not know that it has them. */
function filterOf<Stored>(filter: Filter<Device>): Filter<Stored> {
  return filter as Filter<Stored>
}
