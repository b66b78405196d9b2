const lineFeed = 0x0a
/** A line holds one entry, which MongoDB limits to 16 MB, in base64. */
const longestLine = 24 * 1024 * 1024

/**
 * The lines of a stream of bytes, each with its line feed; the last one without, if the stream ends so. What is too long to be
 * a line of an export comes in pieces.
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
    for (; bytes.length - start > longestLine; start += longestLine) yield bytes.subarray(start, start + longestLine)
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield rest
}
