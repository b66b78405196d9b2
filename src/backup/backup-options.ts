import type { KeepOptions } from './keep/keep-plan.js'
import type { OnProgress } from './progress.js'
import type { RestoreSettings } from './restore/restore.js'
import type { BackupStorage } from './storage/storage.js'

export interface StreamBackupOptions {
  /** Only these collections, by their names in the database. @default all */
  readonly collections?: readonly string[]
  /** @default 'gzip' */
  readonly compression?: 'gzip' | 'none'
  /** Called as the work goes on, with bytes and documents so far. */
  readonly onProgress?: OnProgress
  /** Ends the work when it is aborted. */
  readonly signal?: AbortSignal
}

export interface CreateBackupOptions extends StreamBackupOptions {
  /** Where the backups are. */
  readonly storage: BackupStorage
  /** Encrypts it under the keys of the handle. @default false */
  readonly encrypt?: boolean
}

/** Which backup is meant, and where it is. */
export interface BackupChoice {
  readonly storage: BackupStorage
  /**
   * `latest`, an id, or an instant or day (ISO 8601, UTC): the newest whole backup of the handle's database that is not younger.
   * Where the storage has backups of another database only, that is meant; not where it would replace the handle's.
   * @default 'latest'
   */
  readonly backup?: string
}

export interface ReadBackupOptions extends BackupChoice {
  /** Called as the work goes on, with bytes and documents so far. */
  readonly onProgress?: OnProgress
  /** Ends the work when it is aborted. */
  readonly signal?: AbortSignal
}

export interface RestoreOptions extends BackupChoice, RestoreSettings {
  /**
   * Restores the database as it was at the end of this second, such as `2026-11-02T10:00:00Z`: a backup, and the slices since.
   * `backup` is then the one to begin with. @default what the backup is of
   */
  readonly to?: string
}

export interface DrillOptions extends ReadBackupOptions, Pick<RestoreOptions, 'to'> {}

export interface PruneOptions {
  /** Where the backups are. */
  readonly storage: BackupStorage
  /** Which backups stay when a new one is made. @default all */
  readonly keep?: KeepOptions
  /** Only says what would be removed. @default false */
  readonly dryRun?: boolean
  /** Nothing more is removed once it is aborted. */
  readonly signal?: AbortSignal
}

export interface StartBackupsOptions extends Omit<CreateBackupOptions, 'onProgress' | 'signal'> {
  /** Such as `24h`. */
  readonly every: string
  /** How often what has happened since is stored as a slice of the oplog, such as `5m`. @default no slices */
  readonly sliceEvery?: string
  /** What is kept after each; `false` removes nothing. @default the last 30 days */
  readonly keep?: KeepOptions | false
}
