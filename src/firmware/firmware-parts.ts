import type { DeviceLog } from '../activity/device-log.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Device } from '../devices/device.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import type { Notifications } from '../notifications/notifications.js'
import type { Firmware } from './firmware.js'
import type { FirmwareFiles } from './firmware-files.js'
import type { FirmwareInstall } from './install.js'
import type { Rollout } from './rollout.js'

/** What the parts of firmware share. */
export interface FirmwareParts {
  readonly database: Database
  readonly firmware: EntityCollection<Firmware>
  readonly rollouts: EntityCollection<Rollout>
  readonly installs: EntityCollection<FirmwareInstall>
  readonly deviceDocuments: EntityCollection<Device>
  readonly devices: DeviceRepository
  readonly files: FirmwareFiles
  readonly deviceLogs: DeviceLog
  readonly notifications: Notifications
}

/** Halts a roll-out that runs, and has its maker know. @returns whether it ran. */
export async function haltRollout(parts: FirmwareParts, rollout: Rollout, reason: string): Promise<boolean> {
  const halted = { $set: { status: 'halted', reason, endedAt: parts.database.clock.now() } }
  const { matched } = await parts.rollouts.for('halt').updateOne({ _id: rollout._id, status: 'running' }, halted)
  if (matched > 0 && rollout.createdBy !== undefined)
    parts.notifications.post({
      user: rollout.createdBy,
      kind: 'firmware_halted',
      severity: 'warning',
      title: `The roll-out of ${rollout.version} for ${rollout.board} was halted`,
      body: reason,
      about: { entity: 'firmware roll-out', id: rollout._id },
      deduplicationKey: `firmware_halted:${rollout._id.toHexString()}`,
    })
  return matched > 0
}
