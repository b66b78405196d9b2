import { DatabaseError } from '../../core/errors.js'
import type { KeyRing } from '../../core/key-ring.js'
import type { VerifierKey } from '../../ledger/log/signed-note.js'
import type { Block } from '../format/bson-blocks.js'
import { decodeDocuments } from '../format/file-content.js'
import { FormatError } from '../format/format-error.js'
import { parseSignedJson, signatureProblem } from '../format/signed-json.js'
import { readCompared } from '../read/compared-file.js'
import { DamagedFileError } from '../read/damaged-file-error.js'
import { readDataKey, readManifestFile } from '../read/small-files.js'
import type { StorageAccess } from '../storage/storage-access.js'
import type { Position } from './position.js'
import { sha256Of } from './sha256.js'
import {
  parseSlicePath,
  type SliceContent,
  sliceFolderOf,
  sliceManifestName,
  sliceManifestSchema,
  slicesPrefix,
} from './slice-format.js'

/** A slice as a storage lists it. */
export interface StoredSlice {
  readonly folder: string
  readonly timeline: string
  readonly after: Position
  readonly last: Position
  readonly hasManifest: boolean
  readonly files: readonly string[]
  readonly bytes: number
  /** When the last of its files was written, by the storage's clock. */
  readonly modifiedAt: Date
}

/** A slice that has its manifest. */
export interface Slice {
  readonly folder: string
  readonly content: SliceContent
  /** The SHA-256 of its manifest, which the next slice has. */
  readonly sha256: string
  readonly signatureProblem: (keys: readonly VerifierKey[]) => string | undefined
}

/** All slices of a database, the earliest first. */
export async function listSlices(storage: StorageAccess, database: string): Promise<StoredSlice[]> {
  const found = new Map<string, StoredSlice>()
  for await (const { path, bytes, modifiedAt } of storage.list(slicesPrefix(database))) {
    const parsed = parseSlicePath(path)
    if (parsed === undefined) continue
    const { timeline, after, last, file } = parsed
    const folder = sliceFolderOf(parsed)
    const before = found.get(folder) ?? { hasManifest: false, files: [], bytes: 0, modifiedAt }
    found.set(folder, {
      folder,
      timeline,
      after,
      last,
      hasManifest: before.hasManifest || file === sliceManifestName,
      files: [...before.files, path],
      bytes: before.bytes + bytes,
      modifiedAt: new Date(Math.max(modifiedAt.getTime(), before.modifiedAt.getTime())),
    })
  }
  const idOf = ({ folder }: StoredSlice) => folder.slice(folder.lastIndexOf('/') + 1)
  return [...found.values()].toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
}

/** @throws DamagedFileError if the manifest is not as it was written. */
export async function readSlice(storage: StorageAccess, { folder }: Pick<StoredSlice, 'folder'>): Promise<Slice> {
  return readManifestFile(storage, folder, sliceManifestName, (text) => {
    const manifest = parseSignedJson(text, sliceManifestSchema)
    if (sliceFolderOf(manifest.content) !== folder) throw new FormatError('it is of another slice')
    return {
      folder,
      content: manifest.content,
      sha256: sha256Of(Buffer.from(text)),
      signatureProblem: (keys: readonly VerifierKey[]) => signatureProblem('slice', manifest, keys),
    }
  })
}

/** The entries of a slice, in their order. @throws DatabaseError `BACKUP_DAMAGED` at the latest at the end, `KEY_RING`. */
export async function* entriesOf(
  storage: StorageAccess,
  { folder, content }: Slice,
  keyRing: KeyRing | undefined,
): AsyncGenerator<Block, void, undefined> {
  try {
    const sealing = await sealingOf(storage, folder, content, keyRing)
    const decode = (stored: AsyncIterable<Uint8Array>) => decodeDocuments(stored, { isCompressed: true, sealing })
    let [entries, bytes] = [0, 0]
    for await (const block of readCompared(storage, folder, content.file, decode)) {
      entries += block.documents
      bytes += block.bytes.length
      yield block
    }
    if (entries !== content.entries || bytes !== content.bsonBytes)
      throw new DamagedFileError(content.file.path, `it has ${entries} entries, and not ${content.entries}`)
  } catch (error) {
    throw error instanceof DamagedFileError ? damagedSlice(folder, error) : error
  }
}

export function damagedSlice(folder: string, { path, problem }: DamagedFileError): DatabaseError {
  return new DatabaseError('BACKUP_DAMAGED', `A slice of the oplog is damaged: ${folder}/${path}: ${problem}`)
}

async function sealingOf(
  storage: StorageAccess,
  folder: string,
  content: SliceContent,
  keyRing: KeyRing | undefined,
): Promise<{ dataKey: Buffer; place: string } | undefined> {
  if (content.encryption === 'none') return undefined
  if (keyRing === undefined)
    throw new DatabaseError('KEY_RING', `The slice ${folder} is encrypted: the key ring is needed to read it`)
  const dataKey = await readDataKey(storage, folder, keyRing)
  return { dataKey, place: `${folder}/${content.file.path}` }
}
