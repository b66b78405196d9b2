import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  readonly #signal: AbortSignal

  private constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** @param signal Ends the reading, with its reason; also that of a pipe that nobody writes to. */
  static async open(paths: readonly string[], signal: AbortSignal): Promise<ExportInputs> {
    const inputs = new ExportInputs(signal)
    try {
      for (const path of paths) inputs.#handles.push(await unlessStopped(openToReadAgain(path), signal))
      return inputs
    } catch (error) {
      await inputs[Symbol.asyncDispose]()
      throw error
    }
  }

  get files(): OpenExport[] {
    return this.#handles.map((handle) => () => bytesOf(handle, this.#signal))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#handles.map((handle) => handle.close()))
  }
}

/** The bytes of a file from its beginning: by their places, so that several can read it, and one that stops takes nothing away. */
async function* bytesOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; ; ) {
    signal.throwIfAborted()
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(chunkBytes), position })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}

/** What a pipe says may never come: who waits for it is stopped all the same. */
async function unlessStopped<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  return await Promise.race([result, stopped])
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

/** The bytes of a pipe in a file that nobody else can open, and that is gone when it is closed. */
async function copyOf(given: FileHandle): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-verify-'))
  const copy = await open(join(folder, 'export'), 'wx+', 0o600).finally(() => rm(folder, { recursive: true }))
  for await (const bytes of given.createReadStream({ autoClose: false })) await copy.appendFile(bytes)
  return copy
}

/** What is in a small file, or comes out of a pipe. @throws Error if it is too large to be a key or a checkpoint. */
export async function readText(path: string, signal: AbortSignal): Promise<string> {
  await using file = await unlessStopped(open(path, 'r'), signal)
  const chunks: Buffer[] = []
  let length = 0
  for (;;) {
    const { bytesRead, buffer } = await unlessStopped(file.read({ buffer: Buffer.alloc(chunkBytes) }), signal)
    if (bytesRead === 0) break
    chunks.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > mostTextBytes)
      throw new Error(`${path} has more than ${mostTextBytes} bytes: it is no key and no checkpoint`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
