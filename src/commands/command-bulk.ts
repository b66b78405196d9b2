import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Device } from '../devices/device.js'
import { relaysOf } from '../devices/device-state.js'
import type { DeviceCommand } from './command.js'
import type { CommandOptions } from './command-request.js'

/** A command of `enqueueMany`. */
export interface CommandRequest extends CommandOptions {
  readonly device: ObjectId | string
  readonly command: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

export type ClassroomOptions = Omit<CommandOptions, 'switch' | 'idempotencyKey' | 'attempts'>

/** What became of commands that belong together, for one device. */
export interface DeviceReport {
  readonly device: ObjectId
  readonly counts: Readonly<Partial<Record<DeviceCommand['status'], number>>>
}

/** A command for each relay of the devices. */
export function classroomRequests(
  devices: readonly Device[],
  state: boolean,
  options: ClassroomOptions,
): CommandRequest[] {
  const command = state ? 'turn_on' : 'turn_off'
  return devices.flatMap((device) =>
    relaysOf(device).map(({ _id }) => ({ device: device._id, command, ...options, switch: _id })),
  )
}

interface Counted {
  readonly _id: { readonly device: ObjectId; readonly status: DeviceCommand['status'] }
  readonly count: number
}

export async function commandReport(
  documents: EntityCollection<DeviceCommand>,
  correlationId: string,
): Promise<DeviceReport[]> {
  const rows = await documents
    .for('reportOf')
    .aggregate<Counted>([
      { $match: { correlationId } },
      { $group: { _id: { device: '$device', status: '$status' }, count: { $sum: 1 } } },
      { $sort: { '_id.device': 1 } },
    ])
  const devices = new Map(rows.map(({ _id }) => [_id.device.toHexString(), _id.device]))
  return [...devices.values()].map((device) => {
    const own = rows.filter(({ _id }) => _id.device.equals(device))
    return { device, counts: Object.fromEntries(own.map(({ _id, count }) => [_id.status, count])) }
  })
}
