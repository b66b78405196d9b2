import type { Block } from './bson-blocks.js'
import { blocksOf, countDocuments } from './bson-blocks.js'
import { compressMembers, decompressMembers, splitMembers } from './gzip-members.js'
import { BackgroundHash } from './hash-thread.js'
import type { FileForm } from './names.js'
import { seal, unseal } from './sealed-frames.js'

/** Content form: how the content of a file is changed on its way to the storage. */
export interface ContentForm extends Pick<FileForm, 'isCompressed'> {
  /** The key of the backup, and what the file is bound to; undefined where it is not sealed. */
  readonly sealing: { readonly dataKey: Uint8Array; readonly place: string } | undefined
}

/** What is stored of the pieces of a file: compressed, then sealed. Of no pieces too there is something, one empty member. */
export async function* encodeContent(
  pieces: AsyncIterable<Buffer>,
  { isCompressed, sealing }: ContentForm,
): AsyncGenerator<Buffer, void, undefined> {
  const compressed = isCompressed ? compressMembers(orOneEmpty(pieces)) : pieces
  yield* sealing === undefined ? compressed : seal(compressed, sealing.dataKey, sealing.place)
}

async function* orOneEmpty(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let isEmpty = true
  for await (const piece of pieces) {
    isEmpty = false
    yield piece
  }
  if (isEmpty) yield Buffer.alloc(0)
}

/** The pieces of a stored file again. @throws FormatError for what was altered or cut off, as far as that can be seen. */
export async function* decodeContent(
  stored: AsyncIterable<Uint8Array>,
  { isCompressed, sealing }: ContentForm,
): AsyncGenerator<Uint8Array, void, undefined> {
  const compressed = sealing === undefined ? stored : unseal(stored, sealing.dataKey, sealing.place)
  yield* isCompressed ? decompressMembers(splitMembers(compressed)) : compressed
}

/** The documents of a stored file, in blocks. */
export async function* decodeDocuments(
  stored: AsyncIterable<Uint8Array>,
  form: ContentForm,
): AsyncGenerator<Block, void, undefined> {
  if (!form.isCompressed) {
    yield* blocksOf(decodeContent(stored, form))
    return
  }
  // A member of ours has whole documents.
  for await (const piece of decodeContent(stored, form)) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    if (bytes.length > 0) yield { bytes, documents: countDocuments(bytes) }
  }
}

/** Measures what goes through it. */
export class Measured {
  #bytes = 0
  #sha256 = ''

  async *through(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    using hash = new BackgroundHash()
    for await (const chunk of chunks) {
      this.#bytes += chunk.length
      await hash.update(chunk)
      yield chunk
    }
    this.#sha256 = await hash.digest()
  }

  /** Once everything has gone through. */
  result(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#bytes, sha256: this.#sha256 }
  }
}
