import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'

/** Backup schedule: how the scheduled backups of a database are doing, for all processes. */
export const backupScheduleEntity = defineEntity({
  name: 'backup schedule',
  collection: 'backup_schedules',
  personal: 'none',
  fields: {
    /** There is one schedule of each for a database. */
    name: z.enum(['backup', 'slice']),
    everyMs: z.int().min(1).optional(),
    lastStartedAt: z.date().optional(),
    /** When one was asked for that does not wait until it is due. */
    requestedAt: z.date().optional(),
    lastSuccessAt: z.date().optional(),
    lastBackup: z
      .strictObject({
        id: z.string().min(1).max(100),
        bytes: z.number().min(0),
        documents: z.number().min(0),
        durationMs: z.number().min(0),
      })
      .optional(),
    /** Failures since the last success. */
    failures: z.int().min(0),
    lastFailureAt: z.date().optional(),
    lastError: z.string().max(1000).optional(),
    /** Of slices: the last second that can be restored. */
    reachableUntil: z.date().optional(),
    /** When a backup was last restored on trial, and was right. */
    lastDrillAt: z.date().optional(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the one schedule of a name' }],
})

export type BackupSchedule = Stored<typeof backupScheduleEntity>
