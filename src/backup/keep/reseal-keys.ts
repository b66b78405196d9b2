import { DatabaseError } from '../../core/errors.js'
import { KeyRing, type KeyRingOptions } from '../../core/key-ring.js'
import { backupIdPattern, keyName, keyPlace } from '../format/names.js'
import { parseReseal } from '../options.js'
import { parseSlicePath } from '../point-in-time/slice-format.js'
import { DamagedFileError } from '../read/damaged-file-error.js'
import { readSealedKey } from '../read/small-files.js'
import type { BackupStorage } from '../storage/storage.js'
import { StorageAccess } from '../storage/storage-access.js'

export interface ResealOptions {
  /** Where the backups are. */
  readonly storage: BackupStorage
  /** With the keys that backups are sealed with, and the one that is to seal them from now on as the active one. */
  readonly keys: KeyRingOptions
}

/** Resealed keys: what was done with the keys of backups and slices. */
export interface ResealedKeys {
  /** Sealed anew. */
  readonly resealed: number
  /** Sealed with the active key already. */
  readonly current: number
  /** Those that could not be opened: they are as they were. */
  readonly failed: readonly { readonly path: string; readonly problem: string }[]
}

/**
 * Seals the data keys of all encrypted backups and slices with the active key of the ring: once none has failed the former key
 * is not needed any more. Nothing else of them is written. Needs no database.
 * @throws DatabaseError `STORAGE`, `KEY_RING` for keys that cannot be used.
 * @example
 * await resealBackupKeys({ storage: folderStorage('./backups'), keys: { active: 'b', keys: { a, b } } })
 */
export async function resealBackupKeys(options: ResealOptions): Promise<ResealedKeys> {
  const { storage, keys } = parseReseal(options)
  const [access, keyRing] = [new StorageAccess(storage), new KeyRing(keys)]
  const failed: { path: string; problem: string }[] = []
  let [resealed, current] = [0, 0]
  for (const folder of await sealedFolders(access)) {
    try {
      const sealed = await readSealedKey(access, folder)
      if (keyRing.isCurrent(sealed)) {
        current += 1
        continue
      }
      const anew = keyRing.seal(keyRing.open(sealed, keyPlace(folder)), keyPlace(folder))
      await access.write(`${folder}/${keyName}`, once(Buffer.from(anew)))
      resealed += 1
    } catch (error) {
      const isOfKey = error instanceof DatabaseError && error.code === 'KEY_RING'
      if (!isOfKey && !(error instanceof DamagedFileError)) throw error
      failed.push({ path: `${folder}/${keyName}`, problem: error.message })
    }
  }
  return { resealed, current, failed }
}

async function sealedFolders(storage: StorageAccess): Promise<string[]> {
  const folders: string[] = []
  for await (const { path } of storage.list('')) {
    const folder = path.slice(0, -(keyName.length + 1))
    const isOwn = backupIdPattern.test(folder) || parseSlicePath(path) !== undefined
    if (path === `${folder}/${keyName}` && isOwn) folders.push(folder)
  }
  return folders
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
