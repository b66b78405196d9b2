import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'autovolt-mongod-'
const abandonedAfterMs = 10 * 60_000

/** Makes an empty folder for the data of a replica set that nobody keeps. Its name tells which process it belongs to. */
export function createDataFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
}

/**
 * Removes the data folders that killed processes left behind, some 300 MB each. A running `mongod` touches its folder
 * every minute, so a folder that has long been still, of a process that is gone, belongs to no one.
 */
export async function removeAbandonedDataFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const path = join(tmpdir(), name)
    // Another process may be removing the same folder, or the folder may be another user's: neither is our concern.
    if (await isAbandoned(name, path)) await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function isAbandoned(name: string, path: string): Promise<boolean> {
  const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
  if (owner === undefined || isRunning(Number(owner))) return false
  const touched = await stat(path).catch(() => undefined)
  return touched !== undefined && Date.now() - touched.mtimeMs > abandonedAfterMs
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
