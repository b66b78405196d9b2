import type { ObjectId } from 'mongodb'
import type { Filter } from '../core/repository/conditions.js'
import { Repository } from '../core/repository/repository.js'
import type { Device, DeviceInput } from './device.js'
import { normalizeMacAddress } from './mac-address.js'

/** What ingestion has learnt about a device. */
export interface DevicePresence {
  readonly deviceId: ObjectId
  readonly lastSeenAt: Date
  readonly lastSignOfLifeAt?: Date | undefined
  readonly status?: 'online' | 'offline' | undefined
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
    return this.revealSecret(id, 'secret')
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

function presenceWrites({ deviceId: _id, lastSeenAt, lastSignOfLifeAt, switches, ...told }: DevicePresence): object[] {
  const news = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined))
  const isNews = { _id, $or: [{ lastSeenAt: { $lte: lastSeenAt } }, { lastSeenAt: { $exists: false } }] }
  const seen = { lastSeenAt, ...(lastSignOfLifeAt === undefined ? {} : { lastSignOfLifeAt }) }
  return [
    // The time goes with the news in one write, or older news of another process could slip in between.
    ...(Object.keys(news).length === 0
      ? []
      : [{ updateOne: { filter: isNews, update: { $set: { ...news, lastSeenAt } } } }]),
    { updateOne: { filter: { _id }, update: { $max: seen } } },
    ...switches.map((change) => stateWrite(_id, change)),
  ]
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
