import { Measured } from '../format/file-content.js'
import { FormatError } from '../format/format-error.js'
import type { BackupFile } from '../format/manifest.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { DamagedFileError } from './damaged-file-error.js'

/**
 * What `decode` makes of a file, which is compared meanwhile with what was stored of it.
 * @param folder Where the file is; its path is inside.
 * @throws DamagedFileError, at the latest at the end.
 */
export async function* readCompared<Piece>(
  storage: StorageAccess,
  folder: string,
  { path, bytes, sha256 }: BackupFile,
  decode: (stored: AsyncIterable<Uint8Array>) => AsyncIterable<Piece>,
): AsyncGenerator<Piece, void, undefined> {
  const measured = new Measured()
  try {
    yield* decode(measured.through(storage.read(`${folder}/${path}`)))
  } catch (error) {
    if (error instanceof FormatError) throw new DamagedFileError(path, error.message)
    throw error
  }
  const found = measured.result()
  if (found.bytes !== bytes) throw new DamagedFileError(path, `it has ${found.bytes} bytes, and not ${bytes}`)
  if (found.sha256 !== sha256) throw new DamagedFileError(path, 'its SHA-256 is not that of the manifest')
}
