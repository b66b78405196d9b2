import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AutoVolt } from '@autovolt/data'
import { folderStorage } from '@autovolt/data/backup'
import type { Resources } from './resources.js'
import type { Settings } from './settings.js'
import { Backups } from './views/backups.js'

/** Has backups made on a schedule, and what happens between them stored each minute. */
export async function startBackups(
  volt: AutoVolt,
  { backupFolder, backupOldAfterS }: Settings,
  resources: Resources,
): Promise<Backups> {
  const folder = backupFolder ?? (await mkdtemp(join(tmpdir(), 'autovolt-host-backups-')))
  if (backupFolder === undefined)
    resources.add('the temporary backups', () => rm(folder, { recursive: true, force: true }))
  const storage = folderStorage(folder)
  resources.add(
    'the scheduled backups',
    volt.backup.start({ every: '30m', sliceEvery: '1m', storage, keep: { days: 7 } }),
  )
  const backups = new Backups(volt, storage, { oldAfterMs: backupOldAfterS * 1000 })
  resources.add('a backup that is under way', () => backups.stop())
  return backups
}
