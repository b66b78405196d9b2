import { createReadStream } from 'node:fs'
import { DatabaseError } from '../../core/errors.js'
import { entryIdOf } from '../entry/stored-bytes.js'
import { entryFault } from '../entry/strict-entry.js'
import { linesIn } from '../export/line-reader.js'
import { decodeBase64 } from '../log/base64.js'

const entryStart = '{"entry":"'
const entryEnd = '"}\n'

async function* bytesOf(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new DatabaseError('CONFIGURATION', `The archive cannot be read: ${reason}`)
  }
}

/**
 * The stored bytes of an entry in archives; undefined if none has it. Reads them from their beginning.
 * @throws DatabaseError `CONFIGURATION` for a file that cannot be read.
 */
export async function findInArchives(files: readonly string[], entryId: string): Promise<Buffer | undefined> {
  for (const file of files) {
    for await (const line of linesIn(bytesOf(file))) {
      const text = line.toString('latin1')
      if (!text.startsWith(entryStart)) continue
      const stored = decodeBase64(text.slice(entryStart.length, -entryEnd.length))
      const bytes = stored && { buffer: stored, start: 0, length: stored.length }
      if (bytes !== undefined && entryFault(bytes) === undefined && entryIdOf(bytes) === entryId) return stored
    }
  }
  return undefined
}
