import { randomBytes } from 'node:crypto'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import type { KeyRing } from '../../core/key-ring.js'
import type { SignerKey } from '../../ledger/log/signed-note.js'
import type { Block } from '../format/bson-blocks.js'
import { encodeContent, Measured } from '../format/file-content.js'
import { type BackupCollection, type BackupContent, type BackupFile, filesOf, formOf } from '../format/manifest.js'
import { keyName, keyPlace, manifestName, newBackupId, preludeName, suffixOf } from '../format/names.js'
import { formatSignedJson, signJson } from '../format/signed-json.js'
import type { OnProgress } from '../progress.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { type BackupSource, metadataText, type PlannedCollection } from './dump-source.js'

export interface CreateOptions {
  readonly compression: BackupContent['compression']
  /** Seals the data key of the backup; undefined for a backup that is not encrypted. */
  readonly keyRing: KeyRing | undefined
  readonly signers: readonly SignerKey[]
  readonly now: () => Date
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** Most collections are small, and wait for the storage: these keep the server and this process at work meanwhile. */
const collectionsAtOnce = 6
/** Nearly all that a small file takes is waiting for the storage. */
const smallFilesAtOnce = 16

/**
 * Writes a backup into a storage: its files, and last its manifest, without which it is none. What a failure leaves there is
 * removed by the next clean-up.
 */
export async function createBackup(
  source: BackupSource,
  storage: StorageAccess,
  options: CreateOptions,
): Promise<BackupContent> {
  const startedAt = options.now()
  const writer = new BackupWriter(newBackupId(startedAt), source, storage, options)
  await writer.writeKey()
  await writer.writeText(preludeName, preludeText(source))
  await forEachConcurrently(source.collections, smallFilesAtOnce, async (collection) => {
    options.signal?.throwIfAborted()
    await writer.writeMetadata(collection)
  })
  const collections: BackupCollection[] = []
  await forEachConcurrently(source.collections.entries(), collectionsAtOnce, async ([at, collection]) => {
    options.signal?.throwIfAborted()
    collections[at] = await writer.writeCollection(collection)
  })
  await source.requireUnchanged()
  const content: BackupContent = {
    format: 'autovolt-backup/1',
    id: writer.id,
    ...source.facts,
    startedAt: startedAt.toISOString(),
    finishedAt: options.now().toISOString(),
    compression: options.compression,
    encryption: options.keyRing === undefined ? 'none' : 'AES-256-GCM',
    collections,
    files: writer.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    archive: null,
  }
  options.signal?.throwIfAborted()
  const manifest = formatSignedJson(signJson('backup', content, options.signers))
  await storage.write(`${writer.id}/${manifestName}`, once(Buffer.from(manifest)))
  return content
}

function preludeText({ facts }: Pick<BackupSource, 'facts'>): string {
  return JSON.stringify({ ServerVersion: facts.serverVersion, ToolVersion: `autovolt ${facts.packageVersion}` })
}

class BackupWriter {
  readonly id: string
  readonly files: BackupFile[] = []
  readonly #source: BackupSource
  readonly #storage: StorageAccess
  readonly #options: CreateOptions
  readonly #shape: Pick<BackupContent, 'database' | 'compression' | 'encryption'>
  readonly #dataKey: Buffer | undefined
  #documents = 0
  #bytes = 0

  constructor(id: string, source: BackupSource, storage: StorageAccess, options: CreateOptions) {
    this.id = id
    this.#source = source
    this.#storage = storage
    this.#options = options
    const encryption = options.keyRing === undefined ? 'none' : 'AES-256-GCM'
    this.#shape = { database: source.facts.database, compression: options.compression, encryption }
    this.#dataKey = options.keyRing === undefined ? undefined : randomBytes(32)
  }

  /** In a file of its own: the key ring can seal it anew without the backup being written again. */
  async writeKey(): Promise<void> {
    if (this.#options.keyRing === undefined || this.#dataKey === undefined) return
    const sealed = this.#options.keyRing.seal(this.#dataKey.toString('base64'), keyPlace(this.id))
    await this.#storage.write(`${this.id}/${keyName}`, once(Buffer.from(sealed)))
  }

  /** A small file. */
  writeText(name: string, text: string): Promise<void> {
    return this.#write(`${name}${suffixOf(formOf(this.#shape))}`, once(Buffer.from(text)))
  }

  /** What the collection is. */
  async writeMetadata(collection: PlannedCollection): Promise<void> {
    const { metadata } = filesOf(this.#shape, collection.name, collection.type)
    await this.#write(metadata, once(Buffer.from(metadataText(collection))))
  }

  /** What is in the collection. */
  async writeCollection(collection: PlannedCollection): Promise<BackupCollection> {
    const { name, type, isAtClusterTime, options, indexes } = collection
    const { data, metadata } = filesOf(this.#shape, name, type)
    const counted = { documents: 0, bsonBytes: 0 }
    if (data !== null) await this.#write(data, this.#counted(name, this.#source.read(collection), counted))
    return { name, type, isAtClusterTime, options, indexes, ...counted, dataFile: data, metadataFile: metadata }
  }

  async *#counted(name: string, blocks: AsyncIterable<Block>, counted: { documents: number; bsonBytes: number }) {
    for await (const { bytes, documents } of blocks) {
      this.#options.signal?.throwIfAborted()
      counted.documents += documents
      counted.bsonBytes += bytes.length
      this.#documents += documents
      this.#bytes += bytes.length
      const totalBytes = this.#source.expectedBytes ?? null
      const progress = { documents: this.#documents, bytes: this.#bytes, totalBytes }
      this.#options.onProgress?.({ phase: 'reading', name, ...progress })
      yield bytes
    }
  }

  async #write(path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
    const sealing = this.#dataKey === undefined ? undefined : { dataKey: this.#dataKey, place: `${this.id}/${path}` }
    const measured = new Measured()
    const stored = encodeContent(pieces, { isCompressed: this.#options.compression === 'gzip', sealing })
    await this.#storage.write(`${this.id}/${path}`, measured.through(stored))
    this.files.push({ path, ...measured.result() })
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
