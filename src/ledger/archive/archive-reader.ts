import { createReadStream } from 'node:fs'
import { entryIdOf, isLaidOut } from '../entry/stored-bytes.js'
import { linesIn } from '../export/line-reader.js'
import { decodeBase64 } from '../log/base64.js'

const entryStart = '{"entry":"'
const entryEnd = '"}\n'

/** The stored bytes of an entry in archives; undefined if none has it. Reads them from their beginning. */
export async function findInArchives(files: readonly string[], entryId: string): Promise<Buffer | undefined> {
  for (const file of files) {
    for await (const line of linesIn(createReadStream(file))) {
      const text = line.toString('latin1')
      if (!text.startsWith(entryStart)) continue
      const stored = decodeBase64(text.slice(entryStart.length, -entryEnd.length))
      const bytes = stored && { buffer: stored, start: 0, length: stored.length }
      if (bytes !== undefined && isLaidOut(bytes) && entryIdOf(bytes) === entryId) return stored
    }
  }
  return undefined
}
