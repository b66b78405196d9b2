import { ExportError } from './export-error.js'

const lineFeed = 0x0a
/** A line holds one entry, which MongoDB limits to 16 MB, in base64. */
const longestLine = 24 * 1024 * 1024

/**
 * The lines of a stream of bytes, each with its line feed; the last one without, if the stream ends so.
 * @throws ExportError for a line that is too long to be one of an export.
 */
export async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      yield bytes.subarray(start, end + 1)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > longestLine) throw new ExportError('a line is too long to be one of an export')
  }
  if (rest.length > 0) yield rest
}
