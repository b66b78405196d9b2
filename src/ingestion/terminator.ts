/** The bytes without the NULs at their end: a device that writes texts for C into a buffer sends its terminator along. */
export function withoutTerminator(payload: Uint8Array): Buffer {
  let length = payload.byteLength
  while (length > 0 && payload[length - 1] === 0) length -= 1
  return Buffer.from(payload.buffer, payload.byteOffset, length)
}
