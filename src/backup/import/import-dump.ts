import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseError } from '../../core/errors.js'
import { createBackup } from '../dump/create-backup.js'
import { parseImport } from '../options.js'
import type { OnProgress } from '../progress.js'
import { type BackupSummary, listBackups } from '../read/list-backups.js'
import type { BackupStorage } from '../storage/storage.js'
import { StorageAccess } from '../storage/storage-access.js'
import { MongodumpFolder } from './mongodump-folder.js'
import { unpackArchive } from './unpack-archive.js'

export interface ImportDumpOptions {
  /** The folder of mongodump's `--out`, that of a database in it, or the file of its `--archive`; compressed or not. */
  readonly from: string
  /** Where the backups are. */
  readonly storage: BackupStorage
  /** Which database of the dump, where it has several. */
  readonly database?: string
  /** Called as the work goes on, with bytes and documents so far. */
  readonly onProgress?: OnProgress
  /** Ends the work when it is aborted. */
  readonly signal?: AbortSignal
}

/**
 * Makes a backup of what mongodump has written, so that it can be verified and restored like any other. Needs no database.
 * An archive is unpacked into the system's temporary folder first.
 * @throws DatabaseError `BACKUP_DAMAGED` as far as mongodump's files show that, `CONFIGURATION`, `STORAGE`.
 * @example
 * await importDump({ from: '/var/backups/mongodb/2026-03-01_02-00-00', storage: folderStorage('./backups') })
 */
export async function importDump(options: ImportDumpOptions): Promise<BackupSummary> {
  const { from, storage, database, ...rest } = parseImport(options) as ImportDumpOptions
  const found = await stat(from).catch((cause: unknown) => {
    throw new DatabaseError('CONFIGURATION', `${from} cannot be read`, { cause })
  })
  const access = new StorageAccess(storage)
  const create = async (folder: string) => {
    const source = await MongodumpFolder.open(folder, database)
    const now = () => new Date()
    const { id } = await createBackup(source, access, {
      compression: 'gzip',
      keyRing: undefined,
      signers: [],
      now,
      ...rest,
    })
    const [summary] = (await listBackups(access, id)) as [BackupSummary]
    return summary
  }
  if (found.isDirectory()) return create(from)
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-import-'))
  try {
    await unpackArchive(from, folder)
    return await create(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
