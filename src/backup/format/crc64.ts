/** CRC-64 with the polynomial of ECMA-182, reflected, as mongodump's archives have it (CRC-64/XZ), eight bytes at a time. */
const [polynomialHigh, polynomialLow] = [0xc96c5795, 0xd7870f42]
const slices = 8
const high = new Uint32Array(256 * slices)
const low = new Uint32Array(256 * slices)

for (let byte = 0; byte < 256; byte += 1) {
  let [h, l] = [0, byte]
  for (let bit = 0; bit < 8; bit += 1) {
    const isOdd = (l & 1) === 1
    l = ((l >>> 1) | (h << 31)) >>> 0
    h >>>= 1
    if (isOdd) [h, l] = [(h ^ polynomialHigh) >>> 0, (l ^ polynomialLow) >>> 0]
  }
  high[byte] = h
  low[byte] = l
}
for (let at = 256; at < 256 * slices; at += 1) {
  const [h, l] = [high[at - 256] ?? 0, low[at - 256] ?? 0]
  const byte = l & 0xff
  low[at] = ((l >>> 8) | (h << 24)) ^ (low[byte] ?? 0)
  high[at] = (h >>> 8) ^ (high[byte] ?? 0)
}

/** The CRC of bytes that come in pieces. */
export class Crc64 {
  #high = 0xffffffff
  #low = 0xffffffff

  update(bytes: Buffer): void {
    let [h, l] = [this.#high, this.#low]
    const whole = bytes.length - (bytes.length % slices)
    let at = 0
    for (; at < whole; at += slices) {
      const a = l ^ bytes.readUInt32LE(at)
      const b = h ^ bytes.readUInt32LE(at + 4)
      const i7 = 1792 + (a & 0xff)
      const i6 = 1536 + ((a >>> 8) & 0xff)
      const i5 = 1280 + ((a >>> 16) & 0xff)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 0xff)
      const i2 = 512 + ((b >>> 8) & 0xff)
      const i1 = 256 + ((b >>> 16) & 0xff)
      const i0 = b >>> 24
      l =
        at8(low, i7) ^
        at8(low, i6) ^
        at8(low, i5) ^
        at8(low, i4) ^
        at8(low, i3) ^
        at8(low, i2) ^
        at8(low, i1) ^
        at8(low, i0)
      h =
        at8(high, i7) ^
        at8(high, i6) ^
        at8(high, i5) ^
        at8(high, i4) ^
        at8(high, i3) ^
        at8(high, i2) ^
        at8(high, i1) ^
        at8(high, i0)
    }
    for (; at < bytes.length; at += 1) {
      const byte = (l ^ (bytes[at] ?? 0)) & 0xff
      l = ((l >>> 8) | (h << 24)) ^ at8(low, byte)
      h = (h >>> 8) ^ at8(high, byte)
    }
    this.#high = h >>> 0
    this.#low = l >>> 0
  }

  digest(): bigint {
    return (BigInt((this.#high ^ 0xffffffff) >>> 0) << 32n) | BigInt((this.#low ^ 0xffffffff) >>> 0)
  }
}

function at8(table: Uint32Array, index: number): number {
  return table[index] ?? 0
}
