import { NotFoundError } from '../../core/errors.js'
import type { BackupContent } from '../format/manifest.js'
import { backupIdPattern, backupIdPrefix, instantOfId, manifestName } from '../format/names.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { BackupReader } from './backup-reader.js'
import { DamagedFileError } from './damaged-file-error.js'

/** A backup as its storage lists it. */
export interface BackupSummary {
  readonly id: string
  /**
   * `complete`: it has its manifest. `incomplete`: it has none, because it is being written or was never finished; it is none.
   * `damaged`: the manifest cannot be read. Whether the files are whole only a verification says.
   */
  readonly state: 'complete' | 'incomplete' | 'damaged'
  readonly startedAt: Date
  /** Bytes in the storage. */
  readonly bytes: number
  readonly files: number
  /** When the last of its files was written, by the storage's clock. */
  readonly modifiedAt: Date
  /** What the manifest says of it; null unless it is complete. */
  readonly content:
    | (Pick<
        BackupContent,
        | 'database'
        | 'finishedAt'
        | 'clusterTime'
        | 'isWhole'
        | 'timeline'
        | 'serverVersion'
        | 'compression'
        | 'encryption'
      > & { readonly documents: number; readonly collections: number })
    | null
}

/** All backups in a storage, or the one of this id, the oldest first. What else is there is left out. */
export async function listBackups(storage: StorageAccess, only = backupIdPrefix): Promise<BackupSummary[]> {
  const found = new Map<string, Found>()
  for await (const { path, bytes, modifiedAt } of storage.list(only)) {
    const [id = '', ...inside] = path.split('/')
    if (!backupIdPattern.test(id) || inside.length === 0) continue
    const before = found.get(id) ?? { hasManifest: false, bytes: 0, files: 0, modifiedAt }
    found.set(id, {
      hasManifest: before.hasManifest || inside.join('/') === manifestName,
      bytes: before.bytes + bytes,
      files: before.files + 1,
      modifiedAt: new Date(Math.max(modifiedAt.getTime(), before.modifiedAt.getTime())),
    })
  }
  const backups: BackupSummary[] = []
  for (const [id, one] of found) backups.push(await summaryOf(storage, id, one))
  return backups.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

interface Found {
  readonly hasManifest: boolean
  readonly bytes: number
  readonly files: number
  readonly modifiedAt: Date
}

async function summaryOf(storage: StorageAccess, id: string, found: Found): Promise<BackupSummary> {
  const { hasManifest, ...rest } = found
  const summary = { id, startedAt: instantOfId(id), ...rest, content: null }
  if (!hasManifest) return { ...summary, state: 'incomplete' }
  try {
    const { content } = await BackupReader.open(storage, id, undefined)
    const {
      database,
      finishedAt,
      clusterTime,
      isWhole,
      timeline,
      serverVersion,
      compression,
      encryption,
      collections,
    } = content
    const documents = collections.reduce((sum, one) => sum + one.documents, 0)
    const counted = { documents, collections: collections.length }
    return {
      ...summary,
      state: 'complete',
      content: {
        database,
        finishedAt,
        clusterTime,
        isWhole,
        timeline,
        serverVersion,
        compression,
        encryption,
        ...counted,
      },
    }
  } catch (error) {
    // Retention may have removed it meanwhile.
    if (error instanceof NotFoundError) return { ...summary, state: 'incomplete' }
    if (error instanceof DamagedFileError) return { ...summary, state: 'damaged' }
    throw error
  }
}

/** The moment that the backup is of. */
export function instantOf({ clusterTime, finishedAt }: Pick<BackupContent, 'clusterTime' | 'finishedAt'>): number {
  return clusterTime === null ? Date.parse(finishedAt) : clusterTime.seconds * 1000
}
