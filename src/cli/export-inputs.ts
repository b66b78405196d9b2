import { createWriteStream } from 'node:fs'
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { OpenExport } from '../ledger/export/export-verifier.js'

/** Of a key or a checkpoint: what is longer is none. */
const mostTextBytes = 4_000_000
const chunkBytes = 64 * 1024

/**
 * Files that a verification reads more than once. Each is opened once, so that all readings are of the same bytes, and a pipe, which can be
 * read once alone, is written to a temporary file first.
 */
export class ExportInputs implements AsyncDisposable {
  readonly #handles: FileHandle[] = []

  static async open(paths: readonly string[]): Promise<ExportInputs> {
    const inputs = new ExportInputs()
    try {
      for (const path of paths) inputs.#handles.push(await openToReadAgain(path))
      return inputs
    } catch (error) {
      await inputs[Symbol.asyncDispose]()
      throw error
    }
  }

  get files(): OpenExport[] {
    return this.#handles.map((handle) => () => bytesOf(handle))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#handles.map((handle) => handle.close()))
  }
}

/** The bytes of a file from its beginning: by their places, so that several can read it, and one that stops takes nothing away. */
async function* bytesOf(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(chunkBytes), position })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}

async function openToReadAgain(path: string): Promise<FileHandle> {
  const given = await open(path, 'r')
  try {
    if ((await given.stat()).isFile()) return given
    const copy = await copyOf(given)
    await given.close()
    return copy
  } catch (error) {
    await given.close()
    throw error
  }
}

/** The bytes of a pipe in a file that is gone when it is closed. */
async function copyOf(given: FileHandle): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-verify-'))
  try {
    const path = join(folder, 'export')
    await pipeline(given.createReadStream({ autoClose: false }), createWriteStream(path, { mode: 0o600 }))
    return await open(path, 'r')
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What is in a small file, or comes out of a pipe. @throws Error if it is too large to be a key or a checkpoint. */
export async function readText(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const chunks: Buffer[] = []
  let length = 0
  for (;;) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(chunkBytes) })
    if (bytesRead === 0) break
    chunks.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > mostTextBytes)
      throw new Error(`${path} has more than ${mostTextBytes} bytes: it is no key and no checkpoint`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
