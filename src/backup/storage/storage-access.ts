import { DatabaseError } from '../../core/errors.js'
import { redactCredentials } from '../../core/redact.js'
import { FormatError } from '../format/format-error.js'
import type { BackupStorage, StoredFile } from './storage.js'

/** A storage whose failures are our errors, and name the file. What the caller's own content throws passes as it is. */
export class StorageAccess {
  readonly #storage: BackupStorage

  constructor(storage: BackupStorage) {
    this.#storage = storage
  }

  get name(): string {
    return this.#storage.name
  }

  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    let failure: { readonly error: unknown } | undefined
    const watched = async function* () {
      try {
        yield* content
      } catch (error) {
        failure = { error }
        throw error
      }
    }
    try {
      await this.#storage.write(path, watched())
    } catch (error) {
      throw failure === undefined ? this.#failed('written', path, error) : failure.error
    }
    // A storage that swallows what its input throws has stored half a file, at best.
    if (failure !== undefined) throw failure.error
  }

  /** @throws DatabaseError `STORAGE` when it is iterated. */
  async *read(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#storage.read(path)
    } catch (error) {
      throw this.#failed('read', path, error)
    }
  }

  /** The content of a small file. @throws FormatError if it is longer than this. */
  async readWhole(path: string, longestBytes: number): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of this.read(path)) {
      bytes += chunk.length
      if (bytes > longestBytes) throw new FormatError(`it has more than ${longestBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  async *list(prefix: string): AsyncGenerator<StoredFile, void, undefined> {
    try {
      for await (const file of this.#storage.list(prefix)) {
        if (typeof file?.path !== 'string') throw new Error('it lists what has no path')
        yield file
      }
    } catch (error) {
      throw this.#failed('listed', prefix, error)
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await this.#storage.remove(path)
    } catch (error) {
      throw this.#failed('removed', path, error)
    }
  }

  #failed(done: string, path: string, error: unknown): DatabaseError {
    if (error instanceof DatabaseError) return error
    const reason = redactCredentials(error instanceof Error ? error.message : String(error))
    return new DatabaseError('STORAGE', `${path || 'The storage'} cannot be ${done} (${this.name}): ${reason}`, {
      cause: new Error(reason),
      retryable: true,
    })
  }
}
