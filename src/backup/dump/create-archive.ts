import type { SignerKey } from '../../ledger/log/signed-note.js'
import { encodeArchiveEnd, encodeCollection, encodePrelude } from '../format/archive.js'
import type { Block } from '../format/bson-blocks.js'
import { Measured } from '../format/file-content.js'
import { coalesced, compressMembers, storedMember } from '../format/gzip-members.js'
import { type BackupCollection, type BackupContent, filesOf } from '../format/manifest.js'
import { manifestCollection, newBackupId } from '../format/names.js'
import { formatSignedJson, signJson } from '../format/signed-json.js'
import type { OnProgress } from '../progress.js'
import { type BackupSource, metadataText, type PlannedCollection } from './dump-source.js'

export interface ArchiveOptions {
  /** How the files are compressed. */
  readonly compression: BackupContent['compression']
  /** The keys that sign it. */
  readonly signers: readonly SignerKey[]
  /** What says the time. */
  readonly now: () => Date
  /** Called as the work goes on, with bytes and documents so far. */
  readonly onProgress?: OnProgress
}

/** A backup as one stream, an archive of mongodump with the manifest at its end: without its end it is none. */
export async function* createArchive(
  source: BackupSource,
  { compression, signers, now, onProgress }: ArchiveOptions,
): AsyncGenerator<Uint8Array, BackupContent, undefined> {
  const startedAt = now()
  const collections: BackupCollection[] = []
  const measured = new Measured()
  const body = archiveBody(source, compression, collections, onProgress)
  yield* measured.through(compression === 'gzip' ? compressMembers(coalesced(body)) : body)
  await source.requireUnchanged()
  const content: BackupContent = {
    format: 'autovolt-backup/1',
    id: newBackupId(startedAt),
    ...source.facts,
    startedAt: startedAt.toISOString(),
    finishedAt: now().toISOString(),
    compression,
    encryption: 'none',
    collections,
    files: [],
    archive: measured.result(),
  }
  const end = await encodeArchiveEnd(content.database, formatSignedJson(signJson('backup', content, signers)))
  yield compression === 'gzip' ? storedMember(end) : end
  return content
}

async function* archiveBody(
  source: BackupSource,
  compression: BackupContent['compression'],
  done: BackupCollection[],
  onProgress: OnProgress | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const { database, serverVersion, packageVersion } = source.facts
  const listed = source.collections.map((collection) => ({
    database,
    name: collection.name,
    metadata: metadataText(collection),
    type: collection.type,
  }))
  const manifest = { database, name: manifestCollection, metadata: '', type: 'collection' }
  yield encodePrelude({
    serverVersion,
    toolVersion: `autovolt ${packageVersion}`,
    collections: [...listed, manifest],
  })
  const total = { documents: 0, bytes: 0 }
  for (const collection of source.collections) {
    const { name, type, isAtClusterTime, options, indexes, stored } = collection
    const counted = { documents: 0, bsonBytes: 0 }
    if (stored !== null) {
      const blocks = countedBlocks(source, collection, counted, () => {
        onProgress?.({ phase: 'reading', name, ...sum(total, counted), totalBytes: null })
      })
      yield* encodeCollection(database, stored, blocks)
    }
    total.documents += counted.documents
    total.bytes += counted.bsonBytes
    const { data, metadata } = filesOf({ database, compression, encryption: 'none' }, name, type)
    done.push({ name, type, isAtClusterTime, options, indexes, ...counted, dataFile: data, metadataFile: metadata })
  }
}

async function* countedBlocks(
  source: BackupSource,
  collection: PlannedCollection,
  counted: { documents: number; bsonBytes: number },
  report: () => void,
): AsyncGenerator<Block, void, undefined> {
  for await (const block of source.read(collection)) {
    counted.documents += block.documents
    counted.bsonBytes += block.bytes.length
    report()
    yield block
  }
}

function sum(total: { documents: number; bytes: number }, counted: { documents: number; bsonBytes: number }) {
  return { documents: total.documents + counted.documents, bytes: total.bytes + counted.bsonBytes }
}
