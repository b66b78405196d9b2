import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { folderStorage } from '@autovolt/data/backup'
import { expect, it } from 'vitest'
import { newFolder } from '../backup/support/folder.js'
import { startBackupServer } from '../backup/support/server.js'
import { cleanUpLater } from '../support/clean-up.js'
import { openVolt } from '../support/volt.js'

const run = promisify(execFile)
const mebibyte = 1 << 20

/** A disk of so many mebibytes, and how it gets larger; undefined where nothing may be mounted. */
async function smallDisk(mebibytes: number) {
  const folder = await newFolder()
  const mount = (...options: readonly string[]) =>
    run('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', folder])
  try {
    await mount(`size=${mebibytes}m`)
  } catch {
    return undefined
  }
  cleanUpLater(async () => {
    await run('umount', [folder])
  })
  const grow = async (to: number) => {
    await mount('remount', `size=${to}m`)
  }
  return { folder, grow }
}

/** Another way to a disk that takes no more: files of this process may not be longer. */
async function shortFiles(mebibytes: number) {
  const limit = (bytes: string) => run('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`])
  // Without a listener the signal that comes with it would end the process.
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  await limit(String(mebibytes * mebibyte))
  const grow = async () => {
    await limit('unlimited')
    process.off('SIGXFSZ', ignore)
  }
  cleanUpLater(grow)
  return { folder: await newFolder(), grow }
}

it('a full disk makes an error that names it, no backup that passes for whole, and room makes the next one right', async () => {
  const server = await startBackupServer()
  const name = server.newName()
  const db = server.db(name)
  await db.collection('things').insertOne({ a: 1 })
  const volt = await openVolt({ uri: server.uri, dbName: name })
  const mounted = await smallDisk(6)
  if (mounted === undefined) console.warn('nothing may be mounted here: the length of files is limited instead')
  const disk = mounted ?? (await shortFiles(6))
  const storage = folderStorage(disk.folder)
  const { id } = await volt.backup.create({ storage })
  const large = Array.from({ length: 12 }, (_, n) => ({ n, bytes: randomBytes(mebibyte) }))
  await db.collection('large').insertMany(large)

  const full = { code: 'STORAGE', retryable: true, message: expect.stringMatching(/ENOSPC|EFBIG/) }
  await expect(volt.backup.create({ storage })).rejects.toMatchObject(full)
  await expect(volt.backup.slice({ storage })).rejects.toMatchObject(full)
  const complete = (await volt.backup.list(storage)).filter(({ state }) => state !== 'incomplete')
  expect(complete.map((one) => one.id)).toEqual([id])
  expect(await volt.backup.verify({ storage, backup: id })).toMatchObject({ valid: true })
  expect(await volt.backup.reachable(storage)).toEqual({ spans: [], findings: [] })

  await disk.grow(60)
  expect(await volt.backup.slice({ storage })).toMatchObject({ isContinued: false })
  await volt.backup.create({ storage })
  expect(await volt.backup.verify({ storage })).toMatchObject({ valid: true, documents: 13 })
})
