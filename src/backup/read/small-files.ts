import { DatabaseError } from '../../core/errors.js'
import type { KeyRing } from '../../core/key-ring.js'
import { FormatError } from '../format/format-error.js'
import { keyName, keyPlace } from '../format/names.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { DamagedFileError } from './damaged-file-error.js'

const longestManifestBytes = 64 << 20
const longestKeyBytes = 1000

/** @throws DamagedFileError for what `parse` refuses. */
export async function readManifestFile<Manifest>(
  storage: StorageAccess,
  folder: string,
  name: string,
  parse: (text: string) => Manifest,
): Promise<Manifest> {
  try {
    return parse(utf8(await storage.readWhole(`${folder}/${name}`, longestManifestBytes)))
  } catch (error) {
    throw error instanceof FormatError ? new DamagedFileError(name, error.message) : error
  }
}

export async function exists(storage: StorageAccess, path: string): Promise<boolean> {
  for await (const file of storage.list(path)) if (file.path === path) return true
  return false
}

/** The data key of a backup, or of a slice, as it is stored. @throws DamagedFileError. */
export async function readSealedKey(storage: StorageAccess, folder: string): Promise<string> {
  if (!(await exists(storage, `${folder}/${keyName}`))) throw new DamagedFileError(keyName, 'it is missing')
  try {
    const sealed = utf8(await storage.readWhole(`${folder}/${keyName}`, longestKeyBytes))
    const [, , body = ''] = sealed.split('.')
    // Other texts too would decode to the same bytes.
    if (Buffer.from(body, 'base64url').toString('base64url') === body) return sealed
  } catch (error) {
    throw error instanceof FormatError ? new DamagedFileError(keyName, error.message) : error
  }
  throw new DamagedFileError(keyName, 'it is not as it was written')
}

/** @throws DamagedFileError; DatabaseError `KEY_RING` if the key ring does not have the key. */
export async function readDataKey(storage: StorageAccess, folder: string, keyRing: KeyRing): Promise<Buffer> {
  const sealed = await readSealedKey(storage, folder)
  try {
    return Buffer.from(keyRing.open(sealed, keyPlace(folder)), 'base64')
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'KEY_RING') throw error
    throw new DatabaseError('KEY_RING', `${folder}/${keyName} cannot be opened: ${error.message}`, { cause: error })
  }
}

/** @throws FormatError for bytes that are no UTF-8: decoded leniently, several of them would be the same text. */
function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new FormatError('it is no UTF-8', { cause })
  }
}
