/**
 * Backups: storages, and what the handle's `backup` says of them.
 *
 * @module @autovolt/data/backup
 */
export type {
  BackupChoice,
  CreateBackupOptions,
  DrillOptions,
  PruneOptions,
  ReadBackupOptions,
  RestoreOptions,
  StartBackupsOptions,
  StreamBackupOptions,
} from './backup-options.js'
export type { BackupService } from './backup-service.js'
export { type ImportDumpOptions, importDump } from './import/import-dump.js'
export type { KeepOptions } from './keep/keep-plan.js'
export { type ResealedKeys, type ResealOptions, resealBackupKeys } from './keep/reseal-keys.js'
export type { RetentionDecision, RetentionReport } from './keep/retention.js'
export type { ReachableInstants, SliceFinding } from './point-in-time/instants.js'
export type { SliceOptions, SliceSummary } from './point-in-time/point-in-time.js'
export type { ReachableSpan } from './point-in-time/reach.js'
export type { BackupProgress, OnProgress } from './progress.js'
export type { BackupSummary } from './read/list-backups.js'
export type { BackupFinding, BackupReport } from './read/verify-backup.js'
export { type OfflineOptions, verifyStoredBackup } from './read/verify-stored-backup.js'
export type { RestoreReport } from './restore/restore.js'
export type { MergeConflict, RestoreTarget } from './restore/restore-plan.js'
export type { BackupStatus, ScheduledBackup, SliceStatus } from './schedule/scheduler.js'
export { folderStorage } from './storage/folder-storage.js'
export { type S3StorageOptions, s3Storage } from './storage/s3-storage.js'
export type { BackupStorage, StoredFile } from './storage/storage.js'
