/** Bytes that are looked for in larger ones, four at a time. */
export class ByteMark {
  readonly length: number
  readonly #words: Int32Array
  /** What is left over of the last four, and the bits of it that count. */
  readonly #rest: number
  readonly #restMask: number

  constructor(bytes: Uint8Array) {
    this.length = bytes.length
    const padded = new DataView(new ArrayBuffer(bytes.length + 4))
    for (const [at, byte] of bytes.entries()) padded.setUint8(at, byte)
    const words = Math.floor(bytes.length / 4)
    this.#words = Int32Array.from({ length: words }, (_, at) => padded.getInt32(4 * at, true))
    this.#rest = padded.getInt32(4 * words, true)
    this.#restMask = 2 ** (8 * (bytes.length % 4)) - 1
  }

  /** Whether the bytes are there. @throws RangeError if that is less than four bytes before the end of the view. */
  isAt(view: DataView, at: number): boolean {
    const words = this.#words
    let next = at
    for (let n = 0; n < words.length; n += 1, next += 4) {
      if (view.getInt32(next, true) !== words[n]) return false
    }
    return this.#restMask === 0 || (view.getInt32(next, true) & this.#restMask) === this.#rest
  }
}
