import { hash } from 'node:crypto'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { BackupContent } from '../format/manifest.js'
import { whileInUse } from '../keep/marks.js'
import type { BackupReader } from '../read/backup-reader.js'
import { openVerified } from '../read/verify-backup.js'
import { checkTarget } from '../restore/check-target.js'
import { type RestoreParts, type RestoreReport, type RestoreSettings, restoreFrom } from '../restore/restore.js'
import { planRestore } from '../restore/restore-plan.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { DatabaseSource } from './database-source.js'
import { pathsInHistory, readHistory } from './instants.js'
import { showInstant } from './position.js'
import type { Path } from './reach.js'
import { SliceReplay } from './slice-replay.js'
import type { Slice } from './slice-store.js'

export interface InstantSettings extends RestoreSettings {
  /** The last second whose changes are restored, since 1970. */
  readonly second: number
  /** The database that the backups are of. */
  readonly of: string
  /** Which backup to begin with; undefined for the newest that is sound. */
  readonly base: string | undefined
}

/**
 * Restores the database as it was at the end of a second: a backup, and what has happened since. In place it is restored into
 * a database beside first, and taken from there.
 * @throws DatabaseError `HISTORY_LOST` if the instant cannot be reached, with the reason; `BACKUP_DAMAGED` before anything is
 * written; and as `restore`.
 */
export async function restoreToInstant(
  parts: RestoreParts,
  storage: StorageAccess,
  { second, of, base, ...settings }: InstantSettings,
): Promise<RestoreReport> {
  const { target, onProgress, signal } = settings
  if ('into' in target && settings.rename !== undefined && Object.keys(settings.rename).length > 0)
    throw new DatabaseError('CONFIGURATION', 'Into a new database collections of an instant come under their own names')
  const history = await readHistory(storage, of, parts.verifierKeys)
  const { keyRing, verifierKeys } = parts
  const watching = { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) }
  const verifying = { keyRing, verifierKeys, ...watching }
  const caveats: string[] = []
  let failure: DatabaseError | undefined
  // Where the newest backup is damaged an older one serves, with more slices.
  for (const path of pathsInHistory(history, second, base)) {
    const report = await whileInUse(storage, path.base.id, async () => {
      const reader = await openVerified(storage, path.base.id, verifying).catch(ifDamaged)
      if (!(reader instanceof DatabaseError)) return restoreFromPath(parts, storage, { path, reader }, second, settings)
      failure ??= reader
      caveats.push(`${path.base.id} is damaged: an older backup was taken`)
      return undefined
    })
    if (report !== undefined) return { ...report, caveats: [...caveats, ...report.caveats] }
  }
  throw failure ?? new DatabaseError('HISTORY_LOST', 'No backup is left to begin with')
}

function ifDamaged(error: unknown): DatabaseError {
  if (error instanceof DatabaseError && error.code === 'BACKUP_DAMAGED') return error
  throw error
}

async function restoreFromPath(
  parts: RestoreParts,
  storage: StorageAccess,
  { path, reader }: SoundPath,
  second: number,
  settings: RestoreSettings,
): Promise<RestoreReport> {
  const { target, collections } = settings
  const { keyRing, journals } = parts
  const content = { ...reader.content, id: `${path.base.id} to ${showInstant(second)}` }
  const left = parts.coordination.map(({ collection }) => collection)
  const chosen = collections === undefined ? {} : { collections }
  const replay = await SliceReplay.plan(storage, { path, second, content, keyRing, left, ...chosen })
  // Those that are there at the beginning; others may come with the slices.
  const known = new Set(content.collections.map(({ name }) => name))
  const atStart = collections === undefined ? {} : { collections: collections.filter((name) => known.has(name)) }
  // Before anything is written: what is asked for was there at that instant, and can be put where it is to be.
  const atEnd = { ...content, collections: replay.planned.map((one) => one.collection) }
  const database = parts.database.connection.name
  const planned = planRestore(atEnd, settings, 'into' in target ? target.into : database, left)
  const source = { content, documents: reader.documents.bind(reader) }
  if ('into' in target) return restoreFrom(parts, source, { ...settings, ...atStart }, replay)
  await checkTarget(parts.database.native, atEnd, planned, target, { journals, left })
  const scratch = parts.database.sibling(scratchName(content, collections))
  const beside = {
    ...settings,
    ...atStart,
    rename: {},
    erase: [],
    erasedPeople: [],
    target: { into: scratch.connection.name },
  }
  if (settings.dryRun === true) return { ...(await restoreFrom(parts, source, beside, replay)), database }
  if (!(await isRestored(parts, scratch, content.id))) await restoreFrom(parts, source, beside, replay)
  const report = await restoreFrom(parts, await DatabaseSource.open(scratch.native, { ...content, left }), settings)
  await scratch.native.dropDatabase()
  return report
}

/** The same for the same restore, so that one that was interrupted is found. */
function scratchName({ database, id }: Pick<BackupContent, 'database' | 'id'>, collections: readonly string[] = []) {
  return `autovolt_instant_${hash('sha256', JSON.stringify([database, id, collections.toSorted()])).slice(0, 12)}`
}

interface SoundPath {
  readonly path: Path<Slice>
  readonly reader: BackupReader
}

/** An attempt before may have come so far. */
async function isRestored({ journals }: RestoreParts, scratch: Database, id: string): Promise<boolean> {
  const journal = await scratch.of(journals, { isDurable: true, isOutside: true }).findOne({ name: 'restore' })
  return journal !== null && journal.backupId === id && journal.phase === 'closed'
}
