import type { ObjectId } from 'mongodb'
import { toObjectId } from '../core/fields.js'
import type { Changes } from '../core/repository/changes.js'
import type { Filter } from '../core/repository/conditions.js'
import { Repository, type UpdateOptions } from '../core/repository/repository.js'
import { retryCreation } from '../core/retry-on-conflict.js'
import type { Device, DeviceInput } from './device.js'
import { keepSwitches } from './kept-switches.js'
import { normalizeMacAddress } from './mac-address.js'

/** What ingestion has learnt about a device. */
export interface DevicePresence {
  readonly deviceId: ObjectId
  /** When a message of the device came; left out if only others spoke of it, as the broker does with its last will. */
  readonly lastSeenAt?: Date | undefined
  readonly lastSignOfLifeAt?: Date | undefined
  readonly status?: 'online' | 'offline' | undefined
  /** When the status was told; needed with it. */
  readonly statusAt?: Date | undefined
  readonly boot?: { readonly id: string; readonly startedAt: Date } | undefined
  readonly firmwareVersion?: string | undefined
  /** The switches whose state is known better now. */
  readonly switches: readonly { readonly switchId: ObjectId; readonly state: boolean; readonly stateAt: Date }[]
}

/** The devices, and what ingestion keeps of them. */
export class DeviceRepository<Stored extends Device = Device, Input extends object = DeviceInput> extends Repository<
  Stored,
  Input
> {
  /** The device with this MAC address, in any spelling; null if there is none. */
  async findByMacAddress(macAddress: string): Promise<Stored | null> {
    const normalized = normalizeMacAddress(macAddress)
    if (normalized === undefined) return null
    return (await this.findOne({ macAddress: normalized } as Filter<Stored>)) as Stored | null
  }

  /** The device's secret in clear, for commands and for comparing. @throws NotFoundError if it has none. */
  revealDeviceSecret(id: ObjectId | string): Promise<string> {
    return this.revealSecret(id, 'secret' as never)
  }

  /** As every repository's; a list of switches keeps their ids by gpio, as {@link upsert} does. */
  override async update(
    id: ObjectId | string,
    changes: Changes<Stored, Input>,
    options: UpdateOptions = {},
  ): Promise<Stored> {
    const { switches } = changes as { readonly switches?: unknown }
    if (!Array.isArray(switches)) return super.update(id, changes, options)
    return this.database.transactions.run(async () => {
      const known = await this.findOne({ _id: toObjectId(id) } as Filter<Stored>)
      const kept = { ...changes, switches: keepSwitches(switches, known?.switches ?? []) }
      return super.update(id, kept as Changes<Stored, Input>, options)
    })
  }

  /**
   * As every repository's. A switch that is given without an id is the device's switch with the same gpio, and keeps its id
   * and so its chain in the ledger. To move a switch to another gpio, give its id.
   */
  override async upsert(filter: Filter<Stored>, input: Input): Promise<Stored> {
    const { switches } = input as { readonly switches?: unknown }
    if (!Array.isArray(switches)) return super.upsert(filter, input)
    return retryCreation(this.database, () =>
      this.database.transactions.run(async () => {
        const known = await this.findOne(inOneSpelling(filter))
        return super.upsert(filter, { ...input, switches: keepSwitches(switches, known?.switches ?? []) })
      }),
    )
  }

  /**
   * Stores what was learnt, one write for many devices. Older news never replaces newer, so it may come late, repeatedly
   * and from several processes; the documents' versions do not change.
   */
  async recordPresence(presences: readonly DevicePresence[]): Promise<void> {
    const writes = presences.flatMap(presenceWrites)
    if (writes.length === 0) return
    await this.read('recordPresence', (session) =>
      this.collection.bulkWrite(writes as never[], session === undefined ? {} : { session }),
    )
  }
}

function inOneSpelling<Stored>(filter: Filter<Stored>): Filter<Stored> {
  const { macAddress } = filter as { readonly macAddress?: unknown }
  if (typeof macAddress !== 'string') return filter
  return { ...filter, macAddress: normalizeMacAddress(macAddress) ?? macAddress } as Filter<Stored>
}

function presenceWrites(presence: DevicePresence): object[] {
  const { deviceId: _id, lastSeenAt, lastSignOfLifeAt, status, statusAt, boot, firmwareVersion, switches } = presence
  return [
    ...newsWrites(_id, 'statusAt', statusAt, { status }),
    ...newsWrites(_id, 'lastSeenAt', lastSeenAt, { firmwareVersion }),
    ...bootWrites(_id, boot),
    ...maximumWrites(_id, { lastSeenAt, lastSignOfLifeAt }),
    ...switches.map((change) => stateWrite(_id, change)),
  ]
}

/** Sets what is told unless something later was: the time goes with it in one write, or older news could slip in between. */
function newsWrites(_id: ObjectId, field: string, at: Date | undefined, told: object): object[] {
  const news = defined(told)
  if (at === undefined || Object.keys(news).length === 0) return []
  const isNews = { $or: [{ [field]: { $lte: at } }, { [field]: { $exists: false } }] }
  return [{ updateOne: { filter: { _id, ...isNews }, update: { $set: { ...news, [field]: at } } } }]
}

/** The start of the run that is known may become known better; another run has to have begun later. */
function bootWrites(_id: ObjectId, boot: DevicePresence['boot']): object[] {
  if (boot === undefined) return []
  const isNews = [{ 'boot.id': boot.id }, { 'boot.startedAt': { $lte: boot.startedAt } }, { boot: { $exists: false } }]
  return [{ updateOne: { filter: { _id, $or: isNews }, update: { $set: { boot } } } }]
}

function maximumWrites(_id: ObjectId, times: object): object[] {
  const $max = defined(times)
  return Object.keys($max).length === 0 ? [] : [{ updateOne: { filter: { _id }, update: { $max } } }]
}

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function stateWrite(_id: ObjectId, { switchId, state, stateAt }: DevicePresence['switches'][number]): object {
  const isOlder = { $or: [{ 'changed.stateAt': { $lte: stateAt } }, { 'changed.stateAt': { $exists: false } }] }
  return {
    updateOne: {
      filter: { _id },
      update: { $set: { 'switches.$[changed].state': state, 'switches.$[changed].stateAt': stateAt } },
      arrayFilters: [{ 'changed._id': switchId, ...isOlder }],
    },
  }
}
