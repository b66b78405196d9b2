const lineFeed = 0x0a
/** The longest line holds the personal data of one entry. */
export const longestLine = 4 * 1024 * 1024

/**
 * The lines of a stream of bytes, each with its line feed; the last one without, if the stream ends so. Of what is too long to be a
 * line of an export only the beginning comes, without a line feed.
 */
export async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  let isCut = false
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      if (!isCut) yield bytes.subarray(start, Math.min(end + 1, start + longestLine))
      isCut = false
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length <= longestLine && !isCut) continue
    if (!isCut) yield rest.subarray(0, longestLine)
    isCut = true
    rest = Buffer.alloc(0)
  }
  if (rest.length > 0) yield rest
}
