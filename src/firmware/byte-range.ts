/** Byte range: a part of an image, its end excluded. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/**
 * The range that a request asks for (RFC 9110, 14.1.2): `bytes=0-499`, `bytes=500-`, `bytes=-500`. Undefined where it asks for the whole: without
 * the header, or with one of another unit or of several ranges, which a server may ignore. Null where there is no such part.
 */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | undefined | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const [, first = '', last = ''] = match
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? null : { from: bytes - length, to: bytes }
  }
  const from = Number(first)
  const to = last === '' ? bytes : Math.min(Number(last) + 1, bytes)
  if (last !== '' && Number(last) < from) return undefined
  return from >= bytes ? null : { from, to }
}
