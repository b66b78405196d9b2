import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Device } from '../../devices/device.js'
import type { KnownRuns } from './known-runs.js'

type DeviceWithRuns = Pick<Device, '_id' | 'run' | 'pastRuns'>

/** The runs of devices, as their documents have them. They are stored with the presence. */
export class RunStore {
  readonly #devices: EntityCollection<Device>

  constructor(devices: EntityCollection<Device>) {
    this.#devices = devices
  }

  /** @returns what is known, by the devices' ids in hexadecimal. */
  async read(deviceIds: readonly ObjectId[]): Promise<Map<string, KnownRuns>> {
    if (deviceIds.length === 0) return new Map()
    const options = { projection: { run: 1, pastRuns: 1 } as const, batchSize: deviceIds.length + 1 }
    const found = await this.#devices.for('runs').find<DeviceWithRuns>({ _id: { $in: deviceIds } }, options)
    return new Map(found.map((device) => [device._id.toHexString(), toKnown(device)]))
  }
}

function toKnown({ run, pastRuns: past = [] }: DeviceWithRuns): KnownRuns {
  if (run === undefined) return { current: undefined, past }
  const { latestAt, ...current } = run
  return { current: { number: undefined, connection: undefined, ...current, latestMs: latestAt.getTime() }, past }
}
