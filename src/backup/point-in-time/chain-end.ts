import { DatabaseError } from '../../core/errors.js'
import { DamagedFileError } from '../read/damaged-file-error.js'
import { type BackupSummary, listBackups } from '../read/list-backups.js'
import type { StorageAccess } from '../storage/storage-access.js'
import type { SliceStart } from './oplog.js'
import { comparePositions } from './position.js'
import type { SliceContent } from './slice-format.js'
import { damagedSlice, listSlices, readSlice } from './slice-store.js'

/** Chain end: where a slice goes on from. */
export interface ChainEnd {
  readonly after: SliceStart
  /** The SHA-256 of the manifest of the slice before; null for the first of a chain. */
  readonly previous: string | null
  readonly base: string
  /** Of a change stream. */
  readonly token: SliceContent['resumeToken']
}

/** The end of the last slice; then the newest backup that is later than that. */
export async function chainEnds(
  database: string,
  storage: StorageAccess,
  timeline: string,
  source: SliceContent['source'],
): Promise<ChainEnd[]> {
  const stored = await listSlices(storage, database)
  const newest = stored
    .filter((slice) => slice.hasManifest && slice.timeline === timeline)
    .toSorted((a, b) => comparePositions(b.last, a.last))[0]
  const base = await newestBase(database, storage, timeline)
  if (newest === undefined) return base === undefined ? [] : [base]
  const later = base !== undefined && comparePositions(base.after, newest.last) > 0 ? [base] : []
  try {
    const { content, sha256 } = await readSlice(storage, newest)
    if (content.source === source)
      return [{ after: content.last, previous: sha256, base: content.base, token: content.resumeToken }, ...later]
    if (later.length > 0) return later
    throw new DatabaseError(
      'HISTORY_LOST',
      `The last slice is of another source (${content.source}) than this role can read (${source}): make a backup, from which slices can go on`,
    )
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error
    // What comes after the next backup can be reached all the same.
    if (later.length === 0) throw damagedSlice(newest.folder, error)
    return later
  }
}

async function newestBase(database: string, storage: StorageAccess, timeline: string): Promise<ChainEnd | undefined> {
  const isOfTimeline = ({ content }: BackupSummary) =>
    content?.database === database && content.isWhole && content.timeline === timeline && content.clusterTime !== null
  const found = (await listBackups(storage)).findLast(isOfTimeline)
  const clusterTime = found?.content?.clusterTime
  if (found === undefined || clusterTime === undefined || clusterTime === null) return undefined
  return { after: { ...clusterTime, term: null, sha256: null }, previous: null, base: found.id, token: null }
}
