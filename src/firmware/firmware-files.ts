import { hash } from 'node:crypto'
import { Binary, type ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { EntityDescription } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { chunkBytes, type Firmware } from './firmware.js'

/** The name of the bucket: `firmware_files.files` and `firmware_files.chunks`, as GridFS of every driver reads them. */
const bucket = 'firmware_files'
export const firmwareFileCollections = { files: `${bucket}.files`, chunks: `${bucket}.chunks` } as const
/** 4 MiB: a device that fetches 4 KiB a request is served from memory. */
const cachedChunks = 64

interface StoredChunk {
  readonly files_id: ObjectId
  readonly n: number
  readonly data: Binary
}

interface StoredFile {
  readonly _id: ObjectId
  readonly length: number
  readonly chunkSize: number
  readonly uploadDate: Date
  readonly filename: string
}

/**
 * The bytes of firmware in GridFS. Chunks are written and read one by one, each with its digest: the driver's streams keep no digests, and
 * leave chunks behind where they are destroyed.
 */
export class FirmwareFiles {
  readonly #database: Database
  readonly #entity: EntityDescription
  readonly #cache = new Map<string, Buffer>()

  constructor(database: Database, entity: EntityDescription) {
    this.#database = database
    this.#entity = entity
  }

  /** Creates the index by which chunks are found, where it is not there. */
  async prepare(): Promise<void> {
    await this.#run('prepareFirmware', () => this.#chunks.createIndex({ files_id: 1, n: 1 }, { unique: true }))
  }

  async writeChunk(fileId: ObjectId, n: number, data: Uint8Array): Promise<void> {
    await this.#run('writeChunk', () => this.#chunks.insertOne({ files_id: fileId, n, data: new Binary(data) }))
  }

  /** Written last: with it the file is whole. */
  async writeFile(fileId: ObjectId, length: number, filename: string): Promise<void> {
    const file = { _id: fileId, length, chunkSize: chunkBytes, uploadDate: this.#database.clock.now(), filename }
    await this.#run('writeFile', () => this.#files.insertOne(file))
  }

  /** Removes all that there is of a file. */
  async remove(fileId: ObjectId): Promise<void> {
    await this.#run('removeFile', () => this.#files.deleteOne({ _id: fileId }))
    await this.#run('removeFile', () => this.#chunks.deleteMany({ files_id: fileId }))
  }

  /** A chunk of the image, verified. @throws DatabaseError `FIRMWARE_DAMAGED` if it is missing or another than was uploaded. */
  async chunk({ fileId, chunkSha256 = [] }: Firmware, n: number): Promise<Buffer> {
    const key = `${fileId.toHexString()} ${n}`
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached
    const found = await this.#run('readChunk', () => this.#chunks.findOne({ files_id: fileId, n }))
    const data = found === null ? undefined : bytesOf(found.data)
    if (data === undefined || hash('sha256', data, 'hex') !== chunkSha256[n])
      throw new DatabaseError('FIRMWARE_DAMAGED', `Part ${n} of the firmware is not what was uploaded`)
    const [oldest] = this.#cache.keys()
    if (this.#cache.size >= cachedChunks && oldest !== undefined) this.#cache.delete(oldest)
    this.#cache.set(key, data)
    return data
  }

  #run<Result>(operation: string, task: () => Promise<Result>): Promise<Result> {
    return this.#database.transactions.outside(() => this.#database.run(this.#entity, operation, task))
  }

  get #chunks() {
    return this.#database.native.collection<StoredChunk>(firmwareFileCollections.chunks)
  }

  get #files() {
    return this.#database.native.collection<StoredFile>(firmwareFileCollections.files)
  }
}

/** The driver gives a Binary, or a Buffer where it was told to. */
function bytesOf(data: Binary | Uint8Array): Buffer {
  return Buffer.from(data instanceof Uint8Array ? data : data.value())
}
