import type { Database } from '../core/database.js'
import { DatabaseError } from '../core/errors.js'
import { activityEntity } from './activity.js'
import { ActivityLog } from './activity-log.js'
import { AuditLog } from './audit-log.js'
import { auditRecordEntity, auditRecordEntityOf } from './audit-record.js'
import { dataAccessEntity, dataAccessEntityOf } from './data-access.js'
import type { DataAccessLogOptions } from './data-access-log.js'
import { DeviceLog } from './device-log.js'
import { deviceLogEntryEntity, deviceLogEntryEntityOf } from './device-log-entry.js'

export type ActivityCollection = 'activities' | 'auditLogs' | 'dataAccesses' | 'deviceLogs'

export const activityEntities = {
  activities: activityEntity,
  auditLogs: auditRecordEntity,
  dataAccesses: dataAccessEntity,
  deviceLogs: deviceLogEntryEntity,
} satisfies Record<ActivityCollection, object>

export interface ActivityOptions {
  readonly auditLog?: {
    /**
     * Seconds after which records of the audit log go, null for never; `setup()` sets it, also on a collection that is there.
     * @default 7 776 000, 90 days
     */
    readonly expireAfterSeconds: number | null
  }
  /**
   * Records who has read personal fields of whom through `volt.as(user)`, for `volt.privacy.accesses()`. Left out, nothing is recorded.
   * @default none
   */
  readonly dataAccessLog?: DataAccessLogOptions
  readonly deviceLogs?: {
    /** The same of the device log. @default 7 776 000, 90 days */
    readonly expireAfterSeconds: number | null
  }
}

/** What the logs bring to the handle. */
export interface ActivityServices {
  /** Who moved which switch. */
  readonly activities: ActivityLog
  /** Who did what others rest on: changed a price or a role, signed in, was locked out. */
  readonly auditLog: AuditLog
  /** What happened to devices: connected, rebooted, firmware, errors. */
  readonly deviceLogs: DeviceLog
}

export function openActivity(database: Database, entities: typeof activityEntities): ActivityServices {
  return {
    activities: new ActivityLog(database, entities.activities),
    auditLog: new AuditLog(database, entities.auditLogs),
    deviceLogs: new DeviceLog(database, entities.deviceLogs),
  }
}

const longestExpiry = 2 ** 31 - 1

/**
 * The entities of the logs, with the times that the host keeps them for.
 * @throws DatabaseError `CONFIGURATION` for a time that is none.
 */
export function activityEntitiesOf({ auditLog, dataAccessLog, deviceLogs }: ActivityOptions): typeof activityEntities {
  return {
    ...activityEntities,
    ...(auditLog === undefined ? {} : { auditLogs: auditRecordEntityOf(secondsOf('auditLog', auditLog)) }),
    ...(dataAccessLog?.expireAfterSeconds === undefined
      ? {}
      : {
          dataAccesses: dataAccessEntityOf(
            secondsOf('dataAccessLog', { expireAfterSeconds: dataAccessLog.expireAfterSeconds }),
          ),
        }),
    ...(deviceLogs === undefined ? {} : { deviceLogs: deviceLogEntryEntityOf(secondsOf('deviceLogs', deviceLogs)) }),
  }
}

function secondsOf(option: string, { expireAfterSeconds: seconds }: { readonly expireAfterSeconds: number | null }) {
  const isTime = Number.isInteger(seconds) && Number(seconds) >= 1 && Number(seconds) <= longestExpiry
  if (seconds === null || isTime) return seconds
  const message = `\`${option}.expireAfterSeconds\` takes whole numbers from 1 to ${longestExpiry}, and null`
  throw new DatabaseError('CONFIGURATION', message)
}
