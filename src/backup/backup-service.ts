import { hash } from 'node:crypto'
import type { Database } from '../core/database.js'
import { DatabaseError } from '../core/errors.js'
import type { KeyRing } from '../core/key-ring.js'
import { subjectKeyCollection } from '../core/subject-keys/database-key-store.js'
import type { SignerKey } from '../ledger/log/signed-note.js'
import type {
  CreateBackupOptions,
  DrillOptions,
  PruneOptions,
  ReadBackupOptions,
  RestoreOptions,
  StartBackupsOptions,
  StreamBackupOptions,
} from './backup-options.js'
import { createArchive } from './dump/create-archive.js'
import { createBackup } from './dump/create-backup.js'
import { DumpSource } from './dump/dump-source.js'
import type { Keep } from './keep/keep-plan.js'
import { noteVerification, whileInUse } from './keep/marks.js'
import { applyRetention, type RetentionReport } from './keep/retention.js'
import {
  parseCreate,
  parseDrill,
  parsePrune,
  parseRead,
  parseRestore,
  parseSlice,
  parseStart,
  parseStorage,
  parseStream,
} from './options.js'
import type { ReachableInstants } from './point-in-time/instants.js'
import { PointInTime, type SliceOptions, type SliceSummary } from './point-in-time/point-in-time.js'
import { type BackupSummary, listBackups } from './read/list-backups.js'
import { pickBackup } from './read/pick-backup.js'
import { type BackupReport, verifyBackup } from './read/verify-backup.js'
import { type RestoreParts, type RestoreReport, restore } from './restore/restore.js'
import { timelineOf } from './restore/timeline.js'
import { parseInterval } from './schedule/interval.js'
import type { BackupScheduler, BackupStatus, ScheduledRun } from './schedule/scheduler.js'
import type { BackupStorage } from './storage/storage.js'
import { StorageAccess } from './storage/storage-access.js'

export interface BackupParts extends Omit<RestoreParts, 'database' | 'keyRing'> {
  readonly signers: readonly SignerKey[]
  readonly checkpoints: string
  readonly scheduler: BackupScheduler
  readonly sliceScheduler: BackupScheduler
}

/** Backups of the handle's database: consistent, verified, and restored. */
export class BackupService {
  readonly #database: Database
  readonly #parts: BackupParts
  readonly #pointInTime: PointInTime

  constructor(database: Database, parts: BackupParts) {
    this.#database = database
    this.#parts = parts
    this.#pointInTime = new PointInTime(database, this.#restoreParts, parts.signers, () =>
      parts.sliceScheduler.noteStart(),
    )
  }

  /**
   * Backs up the database as it is at one cluster time, while it is in use.
   * @throws DatabaseError `HISTORY_LOST` if it takes longer than the server keeps its history, `CONFLICT` if a collection is
   * dropped meanwhile, `STORAGE`, `CONFIGURATION`, `KEY_RING`. What was written then is no backup.
   * @example
   * await volt.backup.create({ storage: folderStorage('./backups') })
   */
  async create(options: CreateBackupOptions): Promise<BackupSummary> {
    const parsed = parseCreate(options) as CreateBackupOptions
    const startedMs = performance.now()
    const summary = await this.#create(parsed)
    const { documents = 0 } = summary.content ?? {}
    const durationMs = performance.now() - startedMs
    // One of chosen collections brings back no database.
    if (parsed.collections === undefined)
      await this.#parts.scheduler.noteSuccess({ made: { id: summary.id, bytes: summary.bytes, documents, durationMs } })
    return summary
  }

  /** As {@link create}, as one archive of mongodump. Without its end it is no backup. */
  async *stream(options: StreamBackupOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const parsed = parseStream(options)
    const { compression, onProgress } = parsed
    const source = await this.#source(parsed as StreamBackupOptions)
    yield* createArchive(source, {
      compression,
      signers: this.#parts.signers,
      now: () => this.#database.clock.now(),
      ...(onProgress === undefined ? {} : { onProgress }),
    })
  }

  /**
   * Stores what has happened since the last slice, or since the newest backup, so that {@link restore} can bring back each
   * second of it. A role that may not read the oplog, as `backup` may, reads a change stream: it shows nothing of time series.
   * @returns null if nothing has happened.
   * @throws NotFoundError if there is no backup to go on from; DatabaseError `HISTORY_LOST` if the oplog no longer has what
   * comes after the last slice, and no later backup is there; `CONFIGURATION` if a change stream is not enough; `STORAGE`, `RESTORING`, `KEY_RING`.
   */
  async slice(options: SliceOptions): Promise<SliceSummary | null> {
    const slice = await this.#pointInTime.slice(parseSlice(options) as SliceOptions)
    await this.#parts.sliceScheduler.noteSuccess(slice === null ? {} : { reachableUntil: slice.reachableUntil })
    return slice
  }

  /** The instants that `restore({ to })` can bring back. */
  async reachable(storage: BackupStorage): Promise<ReachableInstants> {
    return this.#pointInTime.reachable(new StorageAccess(parseStorage(storage)))
  }

  /** What is in a storage, the oldest first. */
  async list(storage: BackupStorage): Promise<BackupSummary[]> {
    return listBackups(new StorageAccess(parseStorage(storage)))
  }

  /** Reads every byte of a backup and compares it with its manifest. */
  async verify(options: ReadBackupOptions): Promise<BackupReport> {
    const { storage, backup, ...rest } = parseRead(options) as ReadBackupOptions & { readonly backup: string }
    const access = new StorageAccess(storage)
    const id = await pickBackup(access, backup, { own: this.#database.connection.name })
    const { verifierKeys } = this.#parts
    const report = await whileInUse(access, id, () =>
      verifyBackup(access, id, { keyRing: this.#keyRing, verifierKeys, ...rest }),
    )
    await noteVerification(access, id, report.valid)
    return report
  }

  /**
   * Restores a backup: into a new database, or in place. Nothing is written before all of it was verified. In place, the
   * handles of every process refuse to work until it is done; those that were open before then have to be opened anew.
   * @throws DatabaseError `BACKUP_DAMAGED`, `HISTORY_LOST` if the instant cannot be reached, `CONFLICT` if the new database is not empty, `RESTORING`, `STORAGE`,
   * `CONFIGURATION`, `KEY_RING`; NotFoundError.
   * @example
   * await volt.backup.restore({ storage, target: { into: 'school_restored' } })
   */
  async restore(options: RestoreOptions): Promise<RestoreReport> {
    const parsed = parseRestore(options) as RestoreOptions & { readonly backup: string }
    const { storage, backup, to, ...settings } = parsed
    const access = new StorageAccess(storage)
    if (to !== undefined) return this.#pointInTime.restore(access, { ...settings, to, backup })
    const own = this.#database.connection.name
    const id = await pickBackup(access, backup, { own, isOwnOnly: 'inPlace' in settings.target })
    return whileInUse(access, id, () => restore(this.#restoreParts, access, id, settings))
  }

  /** Removes what nothing asks to keep; never the newest backup that verifies, one in use, or what is not ours. */
  async prune(options: PruneOptions): Promise<RetentionReport> {
    const { storage, keep, dryRun, signal } = parsePrune(options)
    return this.#prune(storage, keep, dryRun, signal)
  }

  /**
   * Makes backups on a schedule, as long as the handle is open. Any number of processes may do so: one at a time makes one,
   * verifies it, and removes what need not be kept.
   * @returns a function that stops it, and waits for one that is being made.
   * @throws DatabaseError `CONFIGURATION`.
   */
  start(options: StartBackupsOptions): () => Promise<void> {
    const { every, sliceEvery, keep, ...parsed } = parseStart(options)
    const create = parsed as CreateBackupOptions
    const everyMs = parseInterval(every)
    const sliceEveryMs = sliceEvery === undefined ? undefined : parseInterval(sliceEvery)
    const { scheduler, sliceScheduler } = this.#parts
    const stops = [scheduler.start(everyMs, (signal) => this.#scheduled(create, keep, signal))]
    if (sliceEveryMs !== undefined)
      stops.push(sliceScheduler.start(sliceEveryMs, (signal) => this.#scheduledSlice(create, signal)))
    return async () => {
      await Promise.all(stops.map((stop) => stop()))
    }
  }

  /** How the backups of this database are doing, whichever process makes them. */
  async status(): Promise<BackupStatus> {
    const { scheduler, sliceScheduler } = this.#parts
    return { ...(await scheduler.status()), slices: await sliceScheduler.sliceStatus() }
  }

  /**
   * Restores a backup into a database of its own, verifies it there, and drops that. A backup that was never restored is a hope.
   * @throws as {@link restore}.
   */
  async restoreDrill(options: DrillOptions): Promise<RestoreReport> {
    const parsed = parseDrill(options) as DrillOptions
    const into = `autovolt_drill_${hash('sha256', this.#database.connection.name).slice(0, 12)}`
    const scratch = this.#database.sibling(into).native
    // What a drill that was killed has left.
    await scratch.dropDatabase()
    try {
      const report = await this.restore({ ...parsed, target: { into } })
      if (report.valid) await this.#parts.scheduler.noteDrill()
      return report
    } finally {
      await scratch.dropDatabase()
    }
  }

  async #scheduled(
    options: Omit<CreateBackupOptions, 'signal'>,
    keep: Keep | false,
    signal: AbortSignal,
  ): Promise<ScheduledRun> {
    const startedMs = performance.now()
    const { id, bytes, content } = await this.#create({ ...options, signal })
    const { valid, findings } = await this.verify({ storage: options.storage, backup: id, signal })
    if (!valid)
      throw new DatabaseError(
        'BACKUP_DAMAGED',
        `The backup ${id} does not read back as it was written: ${findings[0]?.path}`,
      )
    if (keep !== false) await this.#prune(options.storage, keep, false, signal)
    return { made: { id, bytes, documents: content?.documents ?? 0, durationMs: performance.now() - startedMs } }
  }

  /** Where slices cannot go on a backup is made at once, from which they can. */
  async #scheduledSlice({ storage, encrypt }: CreateBackupOptions, signal: AbortSignal): Promise<ScheduledRun> {
    try {
      const slice = await this.#pointInTime.slice({ storage, signal, ...(encrypt === undefined ? {} : { encrypt }) })
      return slice === null ? {} : { reachableUntil: slice.reachableUntil }
    } catch (error) {
      if (!(error instanceof DatabaseError) || !['HISTORY_LOST', 'NOT_FOUND'].includes(error.code)) throw error
      await this.#parts.scheduler.request()
      // Before the first backup there is nothing that could have been lost.
      if (error.code === 'NOT_FOUND') return {}
      throw error
    }
  }

  async #create(options: CreateBackupOptions): Promise<BackupSummary> {
    const { storage, encrypt = false, compression = 'gzip', onProgress, signal } = options
    const access = new StorageAccess(storage)
    const source = await this.#source(options)
    const content = await createBackup(source, access, {
      compression,
      keyRing: encrypt ? this.#database.keyRing : undefined,
      signers: this.#parts.signers,
      now: () => this.#database.clock.now(),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    })
    const [summary] = (await listBackups(access, content.id)) as [BackupSummary]
    return summary
  }

  async #source(options: StreamBackupOptions): Promise<DumpSource> {
    this.#database.requireOpen()
    const { checkpoints, coordination } = this.#parts
    const { collections, signal } = options
    return DumpSource.open(this.#database.native, {
      checkpoints,
      timeline: await timelineOf(this.#database, this.#parts.journals),
      left: [...coordination.map(({ collection }) => collection), subjectKeyCollection],
      ...(collections === undefined ? {} : { collections }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  #prune(storage: BackupStorage, keep: Keep, dryRun: boolean, signal?: AbortSignal): Promise<RetentionReport> {
    return applyRetention(new StorageAccess(storage), {
      database: this.#database.connection.name,
      keep,
      dryRun,
      keyRing: this.#keyRing,
      verifierKeys: this.#parts.verifierKeys,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  get #keyRing(): KeyRing | undefined {
    return this.#database.hasKeyRing ? this.#database.keyRing : undefined
  }

  get #restoreParts(): RestoreParts {
    return { ...this.#parts, database: this.#database, keyRing: this.#keyRing }
  }
}
