import { DatabaseError } from '../../core/errors.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import type { VerifierKey } from '../../ledger/log/signed-note.js'
import { DamagedFileError } from '../read/damaged-file-error.js'
import { listBackups } from '../read/list-backups.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { type Base, type Path, pathFrom, pathsTo, type ReachableSpan, reachableSpans } from './reach.js'
import { listSlices, readSlice, type Slice } from './slice-store.js'

/** A slice that cannot be used, and why. */
export interface SliceFinding {
  readonly path: string
  readonly problem: string
}

/** History: what there is to restore an instant from. */
export interface History {
  readonly bases: readonly Base[]
  readonly slices: readonly Slice[]
  /** Slices whose manifest is damaged, or not signed by one of the keys: where one of them is, there is a gap. */
  readonly findings: readonly SliceFinding[]
}

/** Reachable instants: what can be reached, and what stands in the way of more. */
export interface ReachableInstants {
  readonly spans: readonly ReachableSpan[]
  readonly findings: readonly SliceFinding[]
}

const manifestsAtOnce = 8

export async function readHistory(
  storage: StorageAccess,
  database: string,
  verifierKeys: readonly VerifierKey[],
): Promise<History> {
  const backups = await listBackups(storage)
  const bases = backups.flatMap(({ id, content }): Base[] => {
    if (content?.database !== database || !content.isWhole) return []
    if (content.clusterTime === null || content.timeline === null) return []
    return [{ id, timeline: content.timeline, clusterTime: content.clusterTime }]
  })
  const [slices, findings]: [Slice[], SliceFinding[]] = [[], []]
  const stored = (await listSlices(storage, database)).filter(({ hasManifest }) => hasManifest)
  await forEachConcurrently(stored, manifestsAtOnce, async ({ folder }) => {
    try {
      const slice = await readSlice(storage, { folder })
      const problem = verifierKeys.length === 0 ? undefined : slice.signatureProblem(verifierKeys)
      if (problem === undefined) slices.push(slice)
      else findings.push({ path: folder, problem })
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error
      findings.push({ path: `${folder}/${error.path}`, problem: error.problem })
    }
  })
  return { bases, slices, findings }
}

export function reachableInstants({ bases, slices, findings }: History): ReachableInstants {
  return { spans: reachableSpans(bases, slices), findings }
}

/**
 * The ways to an instant, that from the newest backup first.
 * @param only The backup to begin with. @default any
 * @throws DatabaseError `HISTORY_LOST` that names what is in the way.
 */
export function pathsInHistory({ bases, slices, findings }: History, second: number, only?: string): Path<Slice>[] {
  try {
    if (only === undefined) return pathsTo(bases, slices, second)
    const base = bases.find(({ id }) => id === only)
    if (base === undefined) throw new DatabaseError('HISTORY_LOST', `No slices go on from the backup ${only}`)
    const path = pathFrom(base, slices, second)
    if (typeof path === 'string') throw new DatabaseError('HISTORY_LOST', `From ${only} ${path}`)
    return [path]
  } catch (error) {
    const [finding] = findings
    if (finding === undefined || !(error instanceof DatabaseError)) throw error
    throw new DatabaseError(error.code, `${error.message} (${finding.path}: ${finding.problem})`)
  }
}

/**
 * The second that is meant: it is the last whose changes are there.
 * @throws DatabaseError `CONFIGURATION`.
 */
export function parseSecond(text: string): number {
  const instantMs = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.0+)?)?Z$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instantMs))
    throw new DatabaseError(
      'CONFIGURATION',
      `${JSON.stringify(text)} is no second: give one such as 2026-11-02T10:00:00Z, in UTC`,
    )
  return instantMs / 1000
}
