import type { Database } from '../core/database.js'
import { activityEntity } from './activity.js'
import { ActivityLog } from './activity-log.js'
import { AuditLog } from './audit-log.js'
import { auditRecordEntity } from './audit-record.js'

export type ActivityCollection = 'activities' | 'auditLogs'

export const activityEntities = { activities: activityEntity, auditLogs: auditRecordEntity } satisfies Record<
  ActivityCollection,
  object
>

/** What the logs bring to the handle. */
export interface ActivityServices {
  /** Who moved which switch. */
  readonly activities: ActivityLog
  /** Who changed what others rest on, such as a price. */
  readonly auditLog: AuditLog
}

export function openActivity(database: Database, entities: typeof activityEntities): ActivityServices {
  return {
    activities: new ActivityLog(database, entities.activities),
    auditLog: new AuditLog(database, entities.auditLogs),
  }
}
