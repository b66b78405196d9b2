import type { BackupStorage } from '../../../src/backup/storage/storage.js'

/** A storage of a host's own: the four methods over a map. */
export class MemoryStorage implements BackupStorage {
  readonly name = 'memory'
  readonly files = new Map<string, Buffer>()
  /** How far its clock is ahead. */
  skewMs = 0
  readonly #modifiedAt = new Map<string, Date>()

  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(Buffer.from(chunk))
    this.files.set(path, Buffer.concat(chunks))
    this.#modifiedAt.set(path, new Date(Date.now() + this.skewMs))
  }

  async *read(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const file = this.files.get(path)
    if (file === undefined) throw new Error('there is no such file')
    yield file
  }

  async *list(prefix: string) {
    for (const [path, content] of this.files) {
      if (path.startsWith(prefix))
        yield { path, bytes: content.length, modifiedAt: this.#modifiedAt.get(path) ?? new Date() }
    }
  }

  async remove(path: string): Promise<void> {
    this.files.delete(path)
  }
}
