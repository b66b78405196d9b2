import { ByteReader } from './byte-reader.js'
import { FormatError } from './format-error.js'

/** A block of this many bytes is closed; a document is never split. */
export const blockBytes = 1 << 20
/** MongoDB's limit for a document, with the room that it gives its own ones, such as buckets. */
const largestDocumentBytes = (16 << 20) + (16 << 10)
const smallestDocumentBytes = 5

/** Whole BSON documents, one after the other. */
export interface Block {
  readonly bytes: Buffer
  readonly documents: number
}

/** Collects documents into blocks of about a megabyte: what is compressed, encrypted, hashed and inserted as one. */
export class BlockBuilder {
  #buffer = Buffer.allocUnsafe(blockBytes + largestDocumentBytes / 16)
  #length = 0
  #documents = 0

  /** Copies a document in. @returns a block, once it is full. */
  add(source: Buffer, start: number, length: number): Block | undefined {
    if (this.#length + length > this.#buffer.length) this.#grow(length)
    source.copy(this.#buffer, this.#length, start, start + length)
    this.#length += length
    this.#documents += 1
    return this.#length >= blockBytes ? this.take() : undefined
  }

  /** What was collected so far; undefined if that is nothing. */
  take(): Block | undefined {
    if (this.#documents === 0) return undefined
    const block = { bytes: this.#buffer.subarray(0, this.#length), documents: this.#documents }
    this.#buffer = Buffer.allocUnsafe(blockBytes + largestDocumentBytes / 16)
    this.#length = 0
    this.#documents = 0
    return block
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(this.#length + by)
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** How long the document is that begins there. @throws FormatError if no document can begin so. */
export function documentLength(bytes: Buffer, at: number): number {
  const length = bytes.readInt32LE(at)
  if (length < smallestDocumentBytes || length > largestDocumentBytes)
    throw new FormatError(`no BSON document has ${length} bytes`)
  return length
}

/** @throws FormatError if the bytes are not whole documents, one after the other. @returns how many there are. */
export function countDocuments(bytes: Buffer): number {
  let documents = 0
  for (let at = 0; at < bytes.length; documents += 1) {
    if (at + smallestDocumentBytes > bytes.length) throw new FormatError('a BSON document is cut off')
    at += documentLength(bytes, at)
    if (at > bytes.length) throw new FormatError('a BSON document is cut off')
    if (bytes[at - 1] !== 0) throw new FormatError('a BSON document does not end with a zero byte')
  }
  return documents
}

/** Cuts a stream of documents into blocks. @throws FormatError if a document is cut off or has no possible length. */
export async function* blocksOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Block, void, undefined> {
  await using reader = new ByteReader(chunks)
  for (;;) {
    const next = await reader.peek(blockBytes)
    if (next.length === 0) return
    const end = next.length < blockBytes ? next.length : wholeDocumentsEnd(next)
    const bytes = await reader.read(end === 0 ? documentLength(next, 0) : end)
    yield { bytes, documents: countDocuments(bytes) }
  }
}

/** Where the last document ends that is there as a whole. */
function wholeDocumentsEnd(bytes: Buffer): number {
  let at = 0
  while (at + smallestDocumentBytes <= bytes.length) {
    const next = at + documentLength(bytes, at)
    if (next > bytes.length) break
    at = next
  }
  return at
}
