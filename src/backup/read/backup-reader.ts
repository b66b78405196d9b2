import { DatabaseError, NotFoundError } from '../../core/errors.js'
import type { KeyRing } from '../../core/key-ring.js'
import type { Block } from '../format/bson-blocks.js'
import { type ContentForm, decodeContent, decodeDocuments } from '../format/file-content.js'
import { FormatError } from '../format/format-error.js'
import {
  type BackupCollection,
  type BackupContent,
  type BackupFile,
  type Manifest,
  parseManifest,
} from '../format/manifest.js'
import { manifestName } from '../format/names.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { readCompared } from './compared-file.js'
import { DamagedFileError } from './damaged-file-error.js'
import { exists, readDataKey, readManifestFile } from './small-files.js'

/** Reads a backup, and compares every file with the manifest on the way. */
export class BackupReader {
  readonly manifest: Manifest
  readonly #storage: StorageAccess
  readonly #dataKey: Buffer | undefined

  private constructor(manifest: Manifest, storage: StorageAccess, dataKey: Buffer | undefined) {
    this.manifest = manifest
    this.#storage = storage
    this.#dataKey = dataKey
  }

  /**
   * @param keyRing Without it an encrypted backup can be compared with its manifest, and not be read.
   * @throws NotFoundError if there is no such backup, or it has no manifest; DamagedFileError; DatabaseError `STORAGE`.
   */
  static async open(storage: StorageAccess, id: string, keyRing: KeyRing | undefined): Promise<BackupReader> {
    const manifest = await readManifest(storage, id)
    const isSealed = manifest.content.encryption !== 'none'
    const dataKey = isSealed && keyRing !== undefined ? await readDataKey(storage, id, keyRing) : undefined
    return new BackupReader(manifest, storage, dataKey)
  }

  get content(): BackupContent {
    return this.manifest.content
  }

  /** Whether what is in the files can be looked at. */
  get isReadable(): boolean {
    return this.content.encryption === 'none' || this.#dataKey !== undefined
  }

  /** The documents of a collection. @throws DamagedFileError, at the latest at the end. */
  async *documents(collection: BackupCollection): AsyncGenerator<Block, void, undefined> {
    const { dataFile } = collection
    if (dataFile === null) return
    const counted = { documents: 0, bytes: 0 }
    const decode = (stored: AsyncIterable<Uint8Array>) => decodeDocuments(stored, this.#formOf(dataFile))
    for await (const block of this.#compared(dataFile, decode)) {
      counted.documents += block.documents
      counted.bytes += block.bytes.length
      yield block
    }
    if (counted.documents !== collection.documents || counted.bytes !== collection.bsonBytes)
      throw new DamagedFileError(
        dataFile,
        `it has ${counted.documents} documents of ${counted.bytes} bytes, and not ${collection.documents} of ${collection.bsonBytes}`,
      )
  }

  /** Reads a file to its end. @throws DamagedFileError. */
  async check(path: string, onBytes: (bytes: number) => void = () => undefined): Promise<void> {
    const decode = (stored: AsyncIterable<Uint8Array>) =>
      this.isReadable ? decodeContent(stored, this.#formOf(path)) : stored
    for await (const piece of this.#compared(path, decode)) onBytes(piece.length)
  }

  #compared<Piece>(path: string, decode: (stored: AsyncIterable<Uint8Array>) => AsyncIterable<Piece>) {
    return readCompared(this.#storage, this.content.id, this.#fileOf(path), decode)
  }

  #fileOf(path: string): BackupFile {
    const file = this.content.files.find((one) => one.path === path)
    if (file === undefined) throw new DamagedFileError(path, 'the manifest does not list it')
    return file
  }

  #formOf(path: string): ContentForm {
    const isCompressed = this.content.compression === 'gzip'
    if (this.content.encryption === 'none') return { isCompressed, sealing: undefined }
    if (this.#dataKey === undefined)
      throw new DatabaseError(
        'KEY_RING',
        `The backup ${this.content.id} is encrypted: the key ring is needed to read it`,
      )
    return { isCompressed, sealing: { dataKey: this.#dataKey, place: `${this.content.id}/${path}` } }
  }
}

async function readManifest(storage: StorageAccess, id: string): Promise<Manifest> {
  if (!(await exists(storage, `${id}/${manifestName}`)))
    throw new NotFoundError('backup', `the id ${id} that has a manifest`)
  return readManifestFile(storage, id, manifestName, (text) => {
    const manifest = parseManifest(text)
    if (manifest.content.id !== id) throw new FormatError(`it is of the backup ${manifest.content.id}`)
    if (manifest.content.archive !== null) throw new FormatError('it is of an archive')
    return manifest
  })
}
