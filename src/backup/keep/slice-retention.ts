import { comparePositions, type Position } from '../point-in-time/position.js'
import { sliceManifestName } from '../point-in-time/slice-format.js'
import { listSlices, type StoredSlice } from '../point-in-time/slice-store.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { unfinishedMs } from './unfinished.js'

export interface SliceRetentionOptions {
  readonly database: string
  /** The earliest cluster time that slices go on from; undefined where none are to be removed but unfinished ones. */
  readonly from: Position | undefined
  readonly now: Date
  readonly dryRun: boolean
  readonly signal?: AbortSignal
}

/** Slice retention report: what retention did with the slices of a database. */
export interface SliceRetentionReport {
  readonly kept: number
  readonly removed: number
  /** That were removed, or would be. */
  readonly bytes: number
}

/** Removes the slices that no kept backup needs, the earliest first: what is left has no gap that it did not have before. */
export async function removeSlices(
  storage: StorageAccess,
  { database, from, now, dryRun, signal }: SliceRetentionOptions,
): Promise<SliceRetentionReport> {
  const stored = await listSlices(storage, database)
  const gone = stored.filter((slice) => isUnneeded(slice, from) || isUnfinished(slice, now))
  for (const { folder, files } of dryRun ? [] : gone) {
    signal?.throwIfAborted()
    // From then on it is no slice, whatever of it is left.
    await storage.remove(`${folder}/${sliceManifestName}`)
    for (const path of files) await storage.remove(path)
  }
  const bytes = gone.reduce((sum, one) => sum + one.bytes, 0)
  return { kept: stored.length - gone.length, removed: gone.length, bytes }
}

function isUnneeded({ hasManifest, last }: StoredSlice, from: Position | undefined): boolean {
  return hasManifest && from !== undefined && comparePositions(last, from) <= 0
}

function isUnfinished({ hasManifest, modifiedAt }: StoredSlice, now: Date): boolean {
  return !hasManifest && now.getTime() - modifiedAt.getTime() > unfinishedMs
}
