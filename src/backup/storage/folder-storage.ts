import { randomBytes } from 'node:crypto'
import { createReadStream, type Dirent } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { DatabaseError } from '../../core/errors.js'
import { SharedSync } from './shared-sync.js'
import type { BackupStorage, StoredFile } from './storage.js'

const readBytes = 1 << 20
const partialSuffix = '.partial'

/**
 * Keeps backups in a folder, which is made if it is not there. A file is written beside its place, synced, and renamed: it is
 * there whole or not at all, also after a power cut.
 * @example
 * const storage = folderStorage('./backups')
 */
export function folderStorage(folder: string): BackupStorage {
  const root = resolve(requireFolder(folder))
  const folders = new SharedSync(syncFolder)
  const placeOf = (path: string) => {
    const place = resolve(root, path)
    if (!place.startsWith(root + sep)) throw new DatabaseError('CONFIGURATION', `${path} leads out of the folder`)
    return place
  }
  return {
    name: `folder ${root}`,
    async write(path, content) {
      const place = placeOf(path)
      await makeFolder(dirname(place), root)
      const partial = `${place}.${randomBytes(4).toString('hex')}${partialSuffix}`
      try {
        await writeSynced(partial, content)
        await rename(partial, place)
      } catch (error) {
        await rm(partial, { force: true })
        throw error
      }
      await folders.after(dirname(place))
    },
    read(path) {
      return createReadStream(placeOf(path), { highWaterMark: readBytes })
    },
    async *list(prefix) {
      const under = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      for await (const file of filesIn(resolve(root, under), root)) if (file.path.startsWith(prefix)) yield file
    },
    async remove(path) {
      const place = placeOf(path)
      await rm(place, { force: true })
      await removeEmptyFolders(dirname(place), root)
    },
  }
}

function requireFolder(folder: unknown): string {
  if (typeof folder === 'string' && folder !== '' && !folder.includes('\0')) return folder
  throw new DatabaseError('CONFIGURATION', 'A folder for backups is named by its path')
}

async function writeSynced(place: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(place, 'wx', 0o600)
  try {
    for await (const chunk of content) await writeAll(file, chunk)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, at)
    at += bytesWritten
  }
}

/** The names of folders that are new are synced as well. */
async function makeFolder(folder: string, root: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let at = folder; at.length >= dirname(first).length && at !== dirname(at); at = dirname(at)) await syncFolder(at)
  if (folder === root) await syncFolder(dirname(root))
}

/** So that the name is there after a power cut too. Windows cannot, and does not need to. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function* filesIn(folder: string, root: string): AsyncGenerator<StoredFile, void, undefined> {
  for (const entry of await entriesOf(folder)) {
    const place = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(place, root)
    if (!entry.isFile() || entry.name.endsWith(partialSuffix)) continue
    const found = await stat(place).catch(unlessMissing)
    if (found === undefined) continue
    const path = relative(root, place).split(sep).join('/')
    yield { path, bytes: found.size, modifiedAt: found.mtime }
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return (await readdir(folder, { withFileTypes: true }).catch(unlessMissing)) ?? []
}

/** Another process may remove files meanwhile. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

/** A file that is still being written is touched more often than this. */
const abandonedAfterMs = 24 * 60 * 60_000

/** What a killed process has left half written goes with its folder. */
async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let at = folder; at.startsWith(root + sep); at = dirname(at)) {
    const left = await entriesOf(at)
    if (!left.every(({ name }) => name.endsWith(partialSuffix))) return
    for (const { name } of left) await removeAbandoned(join(at, name))
    if (!(await removedFolder(at))) return
  }
}

async function removeAbandoned(place: string): Promise<void> {
  const found = await stat(place).catch(unlessMissing)
  if (found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs) await rm(place, { force: true })
}

/** Not if something has come into it meanwhile. */
async function removedFolder(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  )
}
