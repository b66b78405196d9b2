import type { KeyRing } from '../../core/key-ring.js'
import type { VerifierKey } from '../../ledger/log/signed-note.js'
import { keyName, manifestName } from '../format/names.js'
import { comparePositions, type Position } from '../point-in-time/position.js'
import { type BackupSummary, instantOf, listBackups } from '../read/list-backups.js'
import { wholeOnes } from '../read/pick-backup.js'
import { verifyBackup } from '../read/verify-backup.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { type Keep, type KeepCandidate, reasonsToKeep, recentIds } from './keep-plan.js'
import { idsInUse, noteVerification, removeVerifiedMark, storageNow, verifiedIds } from './marks.js'
import { removeSlices, type SliceRetentionReport } from './slice-retention.js'
import { unfinishedMs } from './unfinished.js'

export interface RetentionOptions {
  readonly database: string
  readonly keep: Keep
  readonly dryRun: boolean
  readonly keyRing: KeyRing | undefined
  readonly verifierKeys: readonly VerifierKey[]
  /** Nothing more is removed once it is aborted. */
  readonly signal?: AbortSignal
}

/** Retention decision: what retention does with a backup, and why. */
export interface RetentionDecision {
  readonly id: string
  readonly action: 'keep' | 'remove'
  readonly reasons: readonly string[]
}

export interface RetentionReport {
  readonly dryRun: boolean
  readonly decisions: readonly RetentionDecision[]
  /** Slices of the oplog: those are kept that go on from the oldest backup that `days` or `last` keeps, or a newer one. */
  readonly slices: SliceRetentionReport
  /** Bytes of backups and slices that were removed, or would be. */
  readonly bytes: number
}

/**
 * Removes the backups of a database that nothing asks to keep: never the newest that verifies, never one that is in use, and
 * of each only files that a backup of ours has. What is half removed is none any more, and is removed by the next run.
 */
export async function applyRetention(storage: StorageAccess, options: RetentionOptions): Promise<RetentionReport> {
  const now = await storageNow(storage)
  const { decisions, slicesFrom } = await decide(storage, now, options)
  let bytes = 0
  for (const { backup, action } of decisions) {
    if (action === 'keep') continue
    options.signal?.throwIfAborted()
    bytes += backup.bytes
    if (!options.dryRun) await removeBackup(storage, backup.id)
  }
  const { database, dryRun, signal } = options
  const watching = signal === undefined ? {} : { signal }
  const slices = await removeSlices(storage, { database, from: slicesFrom, now, dryRun, ...watching })
  return {
    dryRun,
    slices,
    bytes: bytes + slices.bytes,
    decisions: decisions.map(({ backup, action, reasons }) => ({ id: backup.id, action, reasons })),
  }
}

interface Decision extends Omit<RetentionDecision, 'id'> {
  readonly backup: BackupSummary
}

interface Decisions {
  readonly decisions: readonly Decision[]
  /** The cluster time of the oldest backup that slices go on from. */
  readonly slicesFrom: Position | undefined
}

async function decide(storage: StorageAccess, now: Date, options: RetentionOptions): Promise<Decisions> {
  const backups = await listBackups(storage)
  const inUse = await idsInUse(storage, now)
  const ours = backups.filter(({ content }) => content?.database === options.database)
  const whole = wholeOnes(ours)
  const candidates = candidatesOf(whole)
  // A backup of chosen collections takes the place of no other.
  const ofParts = candidatesOf(ours.filter((one) => !whole.includes(one)))
  const reasons = new Map([
    ...reasonsToKeep(candidates, options.keep, now),
    ...reasonsToKeep(ofParts, options.keep, now),
  ])
  const sound = await newestSound(storage, whole, now, (id) => reasons.has(id), options)
  const decisions = backups.flatMap((backup): Decision[] => {
    if (backup.state === 'incomplete') return unfinished(backup, now)
    if (backup.content?.database !== options.database) return []
    const all = [
      ...(reasons.get(backup.id) ?? []),
      ...(inUse.has(backup.id) ? ['in use'] : []),
      ...(backup.id === sound ? ['the newest that verifies'] : []),
      ...(sound === undefined ? ['none verifies'] : []),
    ]
    return [all.length > 0 ? keeping(backup, all) : { backup, action: 'remove', reasons: ['nothing asks for it'] }]
  })
  const recent = recentIds(candidates, options.keep, now)
  const starts = ours.filter(({ id }) => recent.has(id) || inUse.has(id) || id === sound)
  return { decisions, slicesFrom: sound === undefined ? undefined : earliest(starts) }
}

function candidatesOf(backups: readonly BackupSummary[]): KeepCandidate[] {
  return backups.flatMap(({ id, content }) => (content === null ? [] : [{ id, instantMs: instantOf(content) }]))
}

function earliest(backups: readonly BackupSummary[]): Position | undefined {
  const times = backups.flatMap(({ content }) => content?.clusterTime ?? [])
  return times.toSorted(comparePositions)[0]
}

function keeping(backup: BackupSummary, reasons: readonly string[]): Decision {
  return { backup, action: 'keep', reasons }
}

function unfinished(backup: BackupSummary, now: Date): Decision[] {
  const isAbandoned = now.getTime() - backup.modifiedAt.getTime() > unfinishedMs
  if (!isAbandoned) return [keeping(backup, ['it may still be under way'])]
  return [{ backup, action: 'remove', reasons: ['it was never finished'] }]
}

/**
 * The newest backup that was verified within the last day, of those that are kept if one of them was. Where none was they are
 * verified now, one by one, the newest of those that are kept first.
 */
async function newestSound(
  storage: StorageAccess,
  backups: readonly BackupSummary[],
  now: Date,
  isKept: (id: string) => boolean,
  { keyRing, verifierKeys, signal }: RetentionOptions,
): Promise<string | undefined> {
  const verified = await verifiedIds(storage, now)
  const newestFirst = backups.toReversed()
  const order = [...newestFirst.filter(({ id }) => isKept(id)), ...newestFirst.filter(({ id }) => !isKept(id))]
  const marked = order.find(({ id }) => verified.has(id))
  if (marked !== undefined) return marked.id
  for (const { id } of order) {
    const watching = signal === undefined ? {} : { signal }
    const { valid } = await verifyBackup(storage, id, { keyRing, verifierKeys, ...watching })
    await noteVerification(storage, id, valid)
    if (valid) return id
  }
  return undefined
}

/** The manifest goes first: from then on it is no backup, whatever of it is left. */
async function removeBackup(storage: StorageAccess, id: string): Promise<void> {
  await removeVerifiedMark(storage, id)
  await storage.remove(`${id}/${manifestName}`)
  for await (const { path } of storage.list(`${id}/`)) {
    if (isOwnFile(path.slice(id.length + 1))) await storage.remove(path)
  }
}

const ownFiles = new Set<string>([manifestName, keyName])
const ownForm = /^(?:prelude\.json|[^/]+\/[^/]+\.(?:bson|metadata\.json))(?:\.gz)?(?:\.sealed)?$/

function isOwnFile(path: string): boolean {
  return ownFiles.has(path) || ownForm.test(path)
}
