import { createHash, randomBytes } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { DatabaseError } from '../../core/errors.js'

/**
 * Writes a file that is there as a whole or not at all: under another name first, onto the disk, checked, and then under its
 * own, which nobody may have.
 * @returns SHA-256 over it, in hexadecimal.
 * @throws DatabaseError `CONFIGURATION` if the file is there already or cannot be written.
 */
export async function writeNewFile(
  path: string,
  pieces: AsyncIterable<string>,
  check: (written: string) => Promise<void>,
): Promise<string> {
  // Of a name that nobody can put a file or a link at before.
  const partial = `${path}.${randomBytes(8).toString('hex')}.partial`
  try {
    const sha256 = await write(partial, pieces)
    await check(partial)
    await link(partial, path)
    return sha256
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw new DatabaseError('CONFIGURATION', `The file ${path} cannot be written: ${error.message}`)
    throw error
  } finally {
    // What could not be made cannot be removed either, and the first error says why.
    await rm(partial, { force: true }).catch(() => undefined)
  }
}

async function write(path: string, pieces: AsyncIterable<string>): Promise<string> {
  const sha256 = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of pieces) {
      sha256.update(piece)
      await file.writeFile(piece)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return sha256.digest('hex')
}
