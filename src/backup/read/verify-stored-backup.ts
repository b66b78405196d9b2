import { KeyRing, type KeyRingOptions } from '../../core/key-ring.js'
import { VerifierKey } from '../../ledger/log/signed-note.js'
import { parseOffline } from '../options.js'
import type { OnProgress } from '../progress.js'
import type { BackupStorage } from '../storage/storage.js'
import { StorageAccess } from '../storage/storage-access.js'
import { pickBackup } from './pick-backup.js'
import { type BackupReport, verifyBackup } from './verify-backup.js'

export interface OfflineOptions {
  /** Where the backups are. */
  readonly storage: BackupStorage
  /** As of `volt.backup.verify`. @default 'latest' */
  readonly backup?: string
  /** Opens an encrypted backup; without it its files are compared with the manifest only. */
  readonly keys?: KeyRingOptions
  /** One of these has to have signed the manifest: verifier keys of the ledger, `name+id+base64`. */
  readonly verifierKeys?: readonly string[]
  /** Called as the work goes on, with bytes and documents so far. */
  readonly onProgress?: OnProgress
  /** Ends the work when it is aborted. */
  readonly signal?: AbortSignal
}

/**
 * Verifies a backup without a database: every byte is read and compared with the manifest.
 * @throws NotFoundError; DatabaseError `STORAGE`, `KEY_RING`, `CONFIGURATION`; NoteError for what is no verifier key.
 * @example
 * const report = await verifyStoredBackup({ storage: folderStorage('./backups') })
 */
export async function verifyStoredBackup(options: OfflineOptions): Promise<BackupReport> {
  const { storage, backup, keys, verifierKeys, ...listeners } = parseOffline(options)
  const access = new StorageAccess(storage)
  return verifyBackup(access, await pickBackup(access, backup, { own: undefined }), {
    keyRing: keys === undefined ? undefined : new KeyRing(keys),
    verifierKeys: verifierKeys.map((key) => VerifierKey.parse(key)),
    ...(listeners as Pick<OfflineOptions, 'onProgress' | 'signal'>),
  })
}
