import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUpLater } from '../../support/clean-up.js'

/** An empty folder, which goes at the end of the test or of the file. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-backup-'))
  cleanUpLater(() => rm(folder, { recursive: true, force: true }))
  return folder
}
