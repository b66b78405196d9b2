import { FormatError } from './format-error.js'

/** Reads a stream of bytes in pieces of the reader's own choice. */
export class ByteReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)
  #position = 0
  #isAtEnd = false

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#position
  }

  /** The next bytes, without reading them: so many, or fewer where the stream ends before. */
  async peek(length: number): Promise<Buffer> {
    if (this.#buffer.length < length && !this.#isAtEnd) await this.#fetch(length)
    return this.#buffer.subarray(0, length)
  }

  /** @throws FormatError if the stream ends before. */
  async read(length: number): Promise<Buffer> {
    const bytes = await this.peek(length)
    if (bytes.length < length) throw new FormatError(`it is cut off after ${this.#position + bytes.length} bytes`)
    this.#buffer = this.#buffer.subarray(length)
    this.#position += length
    return bytes
  }

  /** Whether nothing is left. */
  async isAtEnd(): Promise<boolean> {
    return (await this.peek(1)).length === 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }

  async #fetch(length: number): Promise<void> {
    const parts = [this.#buffer]
    let have = this.#buffer.length
    while (have < length) {
      const { done, value } = await this.#chunks.next()
      if (done) {
        this.#isAtEnd = true
        break
      }
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
      have += value.byteLength
    }
    this.#buffer = parts.length === 1 ? this.#buffer : Buffer.concat(parts)
  }
}
