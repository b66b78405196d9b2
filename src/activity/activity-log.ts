import { Reader } from '../core/repository/reader.js'
import type { Activity } from './activity.js'

/** Who moved which switch, newest first or by device or classroom; appended by ingestion, changed by nobody. */
export class ActivityLog extends Reader<Activity> {
  /** Logs the activities, each once however often it is told. Takes part in the caller's transaction. */
  async record(activities: readonly Omit<Activity, '_id'>[]): Promise<void> {
    if (activities.length === 0) return
    const writes = activities.map((activity) => ({
      update: { deviceId: activity.deviceId, idempotencyKey: activity.idempotencyKey },
      by: { $setOnInsert: activity },
      upsert: true,
    }))
    await this.documents.for('record').bulkWrite(writes, { isUnordered: true })
  }
}
