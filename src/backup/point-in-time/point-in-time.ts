import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { subjectKeyCollection } from '../../core/subject-keys/database-key-store.js'
import type { SignerKey } from '../../ledger/log/signed-note.js'
import { backupIdPattern } from '../format/names.js'
import { listBackups } from '../read/list-backups.js'
import { type PickOptions, sourceDatabase } from '../read/pick-backup.js'
import type { RestoreParts, RestoreReport, RestoreSettings } from '../restore/restore.js'
import { timelineOf } from '../restore/timeline.js'
import type { BackupStorage } from '../storage/storage.js'
import { StorageAccess } from '../storage/storage-access.js'
import { parseSecond, type ReachableInstants, reachableInstants, readHistory } from './instants.js'
import { restoreToInstant } from './restore-to-instant.js'
import type { SliceContent } from './slice-format.js'
import { takeSlice } from './take-slice.js'

export interface SliceOptions {
  /** Where the backups are. */
  readonly storage: BackupStorage
  /** Encrypts it under the keys of the handle. @default false */
  readonly encrypt?: boolean
  /** Ends the work when it is aborted. */
  readonly signal?: AbortSignal
}

/** A slice of the oplog as it was stored. */
export interface SliceSummary {
  readonly id: string
  /** The last second that can be restored with it. */
  readonly reachableUntil: Date
  /** Where a change stream was read because the role may not read the oplog, the slices have nothing of time series. */
  readonly source: 'oplog' | 'changeStream'
  /** How many entries of the oplog it has. */
  readonly entries: number
  /** As stored. */
  readonly bytes: number
  /** Whether it goes on from the slice before; otherwise it begins anew from a backup. */
  readonly isContinued: boolean
  /** What cannot be replayed: no instant from then on is reached from a backup before. */
  readonly unreplayable: readonly string[]
}

const secondMs = 1000

/** The history between backups: stored in slices, and restored to the second. */
export class PointInTime {
  readonly #database: Database
  readonly #parts: RestoreParts
  readonly #signers: readonly SignerKey[]
  readonly #change: () => Promise<void>

  /** @param change Changes something in the database. */
  constructor(database: Database, parts: RestoreParts, signers: readonly SignerKey[], change: () => Promise<void>) {
    this.#database = database
    this.#parts = parts
    this.#signers = signers
    this.#change = change
  }

  async slice({ storage, encrypt = false, signal }: SliceOptions): Promise<SliceSummary | null> {
    this.#database.requireOpen()
    const slice = await takeSlice(this.#database.native, new StorageAccess(storage), {
      timeline: await timelineOf(this.#database, this.#parts.journals),
      left: [...this.#parts.coordination.map(({ collection }) => collection), subjectKeyCollection],
      keyRing: encrypt ? this.#database.keyRing : undefined,
      signers: this.#signers,
      change: this.#change,
      now: () => this.#database.clock.now(),
      ...(signal === undefined ? {} : { signal }),
    })
    for (const { what } of slice?.unreplayable ?? [])
      this.#database.logger.warn({ what }, 'a change cannot be replayed: make a backup, from which slices can go on')
    return slice === null ? null : summaryOf(slice)
  }

  /** @param database Whose. @default the handle's, or the only one that there are backups of */
  async reachable(storage: StorageAccess, database?: string): Promise<ReachableInstants> {
    const { verifierKeys } = this.#parts
    const of = database ?? (await sourceOf(storage, { own: this.#database.connection.name }))
    return reachableInstants(await readHistory(storage, of, verifierKeys))
  }

  async restore(
    storage: StorageAccess,
    { to, backup, ...settings }: RestoreSettings & { readonly to: string; readonly backup: string },
  ): Promise<RestoreReport> {
    const second = parseSecond(to)
    const base = backupIdPattern.test(backup) ? backup : undefined
    if (base === undefined && backup !== 'latest')
      throw new DatabaseError('CONFIGURATION', 'The backup to begin with is named by its id')
    const whose = { own: this.#database.connection.name, isOwnOnly: 'inPlace' in settings.target }
    const of = await sourceOf(storage, whose, base)
    return restoreToInstant(this.#parts, storage, { ...settings, second, of, base })
  }
}

/** Which database the backups are of. @throws as {@link sourceDatabase}. */
async function sourceOf(storage: StorageAccess, options: PickOptions, base?: string): Promise<string> {
  const backups = await listBackups(storage, base)
  return sourceDatabase(backups, base === undefined ? options : { own: undefined }, storage.name)
}

function summaryOf({ id, source, last, entries, file, previous, unreplayable }: SliceContent): SliceSummary {
  return {
    id,
    source,
    reachableUntil: new Date((last.seconds - 1) * secondMs),
    entries,
    bytes: file.bytes,
    isContinued: previous !== null,
    unreplayable: unreplayable.map(({ what }) => what),
  }
}
