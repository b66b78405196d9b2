import type { DeviceLog } from '../activity/device-log.js'
import type { Database } from '../core/database.js'
import { Reader } from '../core/repository/reader.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import type { Notifications } from '../notifications/notifications.js'
import { firmwareEntity } from './firmware.js'
import { FirmwareFiles } from './firmware-files.js'
import { type FirmwareOptions, firmwareLimitsOf } from './firmware-options.js'
import { FirmwareService } from './firmware-service.js'
import { FirmwareUpload } from './firmware-upload.js'
import { type FirmwareInstall, installEntity } from './install.js'
import { type Rollout, rolloutEntity } from './rollout.js'

export type FirmwareCollection = 'firmware' | 'firmwareRollouts' | 'firmwareInstalls'

export const firmwareEntities = {
  firmware: firmwareEntity,
  firmwareRollouts: rolloutEntity,
  firmwareInstalls: installEntity,
} satisfies Record<FirmwareCollection, object>

/** What firmware brings to the handle. */
export interface FirmwareServices {
  /** Images for devices, and their roll-outs. */
  readonly firmware: FirmwareService
  readonly firmwareRollouts: Reader<Rollout>
  /** How far each device is. */
  readonly firmwareInstalls: Reader<FirmwareInstall>
}

/** What firmware needs of other domains. */
export interface FirmwareNeeds {
  readonly devices: DeviceRepository
  readonly deviceLogs: DeviceLog
  readonly notifications: Notifications
}

/** @throws DatabaseError `CONFIGURATION` for keys and limits that cannot be used. */
export function openFirmware(
  database: Database,
  entities: typeof firmwareEntities,
  { devices, deviceLogs, notifications }: FirmwareNeeds,
  options: FirmwareOptions,
): FirmwareServices {
  const limits = firmwareLimitsOf(options)
  const isOutside = { isDurable: true, isOutside: true }
  const firmware = database.of(entities.firmware, isOutside)
  const files = new FirmwareFiles(database, entities.firmware)
  const parts = {
    database,
    firmware,
    rollouts: database.of(entities.firmwareRollouts, isOutside),
    installs: database.of(entities.firmwareInstalls, isOutside),
    deviceDocuments: database.of(devices.entity),
    devices,
    files,
    deviceLogs,
    notifications,
    upload: new FirmwareUpload(database, firmware, files, limits),
  }
  return {
    firmware: new FirmwareService(database, entities.firmware, parts),
    firmwareRollouts: new Reader(database, entities.firmwareRollouts),
    firmwareInstalls: new Reader(database, entities.firmwareInstalls),
  }
}
