import { DatabaseError, NotFoundError } from '../../core/errors.js'
import { backupIdPattern } from '../format/names.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { type BackupSummary, instantOf, listBackups } from './list-backups.js'

/** Whose backups are meant where none is named by its id. */
export interface PickOptions {
  /** The database of the handle; undefined where there is none. */
  readonly own: string | undefined
  /** What the backup replaces is the database of the handle: one of another database has to be named by its id. */
  readonly isOwnOnly?: boolean
}

type Complete = BackupSummary & { readonly content: NonNullable<BackupSummary['content']> }

/**
 * Finds the backup that is meant: an id, `latest`, or an instant or day (ISO 8601, UTC), which means the newest backup of the
 * database as it was at that instant, or at the end of that day, or before. Backups of chosen collections count only where there
 * is none of the whole database.
 * @throws NotFoundError; DatabaseError `CONFIGURATION` for what is none of these, and where it is not clear of which database.
 */
export async function pickBackup(storage: StorageAccess, which: string, options: PickOptions): Promise<string> {
  if (backupIdPattern.test(which)) return which
  const untilMs = which === 'latest' ? Number.POSITIVE_INFINITY : endOf(which)
  const complete = (await listBackups(storage)).filter((one): one is Complete => one.content !== null)
  const database = sourceDatabase(complete, options, storage.name)
  const picked = wholeOnes(complete.filter(({ content }) => content.database === database)).findLast(
    ({ content }) => instantOf(content) <= untilMs,
  )
  if (picked === undefined) throw new NotFoundError('backup', `${which} in ${storage.name}`)
  return picked.id
}

/** Those of the whole database; where there is none, those of chosen collections. */
export function wholeOnes<Backup extends BackupSummary>(backups: readonly Backup[]): readonly Backup[] {
  const whole = backups.filter(({ content }) => content?.isWhole === true)
  return whole.length === 0 ? backups : whole
}

/**
 * The database whose backups are meant: the handle's own, or the only one that there are backups of.
 * @throws NotFoundError if there are no backups; DatabaseError `CONFIGURATION` if they are of others.
 */
export function sourceDatabase(
  backups: readonly BackupSummary[],
  { own, isOwnOnly = false }: PickOptions,
  storage: string,
): string {
  const databases = [...new Set(backups.flatMap(({ content }) => content?.database ?? []))]
  if (own !== undefined && databases.includes(own)) return own
  const [only, ...more] = databases
  if (only === undefined) throw new NotFoundError('backup', `one that is complete in ${storage}`)
  if (more.length === 0 && !isOwnOnly) return only
  const whose = own === undefined ? '' : ` and none of ${own}`
  throw new DatabaseError(
    'CONFIGURATION',
    `${storage} has backups of ${databases.join(', ')}${whose}: name the backup that is meant by its id`,
  )
}

const dayMs = 86_400_000

function endOf(text: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const instantMs = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instantMs))
    throw new DatabaseError(
      'CONFIGURATION',
      `${JSON.stringify(text)} picks no backup: give "latest", an id, a day such as 2026-11-02 or an instant such as 2026-11-02T10:00:00Z`,
    )
  return isDay ? instantMs + dayMs - 1 : instantMs
}
