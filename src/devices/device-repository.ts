import type { ObjectId } from 'mongodb'
import type { Filter } from '../core/repository/conditions.js'
import { Repository } from '../core/repository/repository.js'
import type { Device, DeviceInput } from './device.js'
import { normalizeMacAddress } from './mac-address.js'

/** What ingestion has learnt about a device. */
export interface DevicePresence {
  readonly deviceId: ObjectId
  readonly lastSeenAt: Date
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
      this.collection.bulkWrite(writes as never[], { ordered: false, ...(session === undefined ? {} : { session }) }),
    )
  }
}

function presenceWrites(presence: DevicePresence): object[] {
  const { deviceId: _id, lastSeenAt, status, boot, firmwareVersion, switches } = presence
  const set = {
    ...(status === undefined ? {} : { status }),
    ...(boot === undefined ? {} : { boot }),
    ...(firmwareVersion === undefined ? {} : { firmwareVersion }),
  }
  const isNews = { _id, $or: [{ lastSeenAt: { $lte: lastSeenAt } }, { lastSeenAt: { $exists: false } }] }
  const seen = { updateOne: { filter: isNews, update: { $set: { ...set, lastSeenAt } } } }
  const states = switches.map(({ switchId, state, stateAt }) => ({
    updateOne: {
      filter: { _id },
      update: { $set: { 'switches.$[changed].state': state, 'switches.$[changed].stateAt': stateAt } },
      arrayFilters: [
        {
          'changed._id': switchId,
          $or: [{ 'changed.stateAt': { $lte: stateAt } }, { 'changed.stateAt': { $exists: false } }],
        },
      ],
    },
  }))
  return [seen, ...states]
}
