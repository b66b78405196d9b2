import { folderStorage } from '@autovolt/data/backup'
import { describe, expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { eventually as eventuallyWithin } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'
import { newFolder } from './support/folder.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'

const server = await startBackupServer()

async function handle() {
  const dbName = server.newName()
  await server.db(dbName).collection('things').insertOne({ a: 1 })
  const volt = await openVolt({ uri: server.uri, dbName })
  await volt.setup()
  return { volt, dbName }
}

/** A backup takes seconds where others are busy. */
const eventually = <T>(what: string, check: () => T | Promise<T>) =>
  eventuallyWithin(what, check, { timeoutMs: 120_000 })

describe('scheduled backups', () => {
  it('are made when they are due, verified, counted, and stopped by close', async () => {
    const { volt, dbName } = await handle()
    const storage = new MemoryStorage()
    expect(await volt.backup.status()).toEqual({
      lastSuccessAt: null,
      ageMs: null,
      nextAt: null,
      lastBackup: null,
      failures: 0,
      lastError: null,
      lastDrillAt: null,
      slices: null,
    })
    volt.backup.start({ every: '1s', storage, keep: { days: 0, last: 2 } })
    const two = () => [...storage.files.keys()].filter((path) => path.endsWith('manifest.json')).length === 2
    await eventually('two backups are there', two)
    const status = await eventually('the second is noted', async () => {
      const now = await volt.backup.status()
      return now.lastBackup?.id === (await volt.backup.list(storage)).at(-1)?.id ? now : undefined
    })
    expect(status).toMatchObject({ failures: 0, lastError: null, lastBackup: { documents: 1 } })
    expect(status.ageMs).toBeGreaterThanOrEqual(0)
    expect(status.nextAt?.getTime()).toBeGreaterThan(status.lastSuccessAt?.getTime() ?? 0)
    await volt.close()
    const made = storage.files.size
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(storage.files.size).toBe(made)
    const other = await openVolt({ uri: server.uri, dbName })
    expect((await other.backup.status()).lastBackup?.id).toBeDefined()
  })

  it('that fail are counted and told, and made again after a rest', async () => {
    const { volt } = await handle()
    const storage = new MemoryStorage()
    const write = storage.write.bind(storage)
    let isBroken = true
    storage.write = async (path, content) => {
      if (isBroken && path.endsWith('.gz')) throw new Error('mongodb://user:secret@host is full')
      return write(path, content)
    }
    const stop = volt.backup.start({ every: '1s', storage, keep: false })
    const failed = await eventually('two failures', async () => {
      const status = await volt.backup.status()
      return status.failures >= 2 ? status : undefined
    })
    expect(failed.lastError).toMatch(/cannot be written \(memory\): mongodb:\/\/\*\*\*@host is full/)
    expect(failed.lastSuccessAt).toBeNull()
    isBroken = false
    await eventually('a success', async () => (await volt.backup.status()).failures === 0)
    expect((await volt.backup.status()).lastError).toBeNull()
    await stop()
  })

  it('are refused with an interval, or a rule, that is none', async () => {
    const { volt } = await handle()
    const storage = new MemoryStorage()
    for (const every of ['0h', '24', 'daily', '-1h', '400d'])
      expect(() => volt.backup.start({ every, storage })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    for (const options of [{ every: '' }, { every: '1h', keep: { days: -1 } }])
      expect(() => volt.backup.start({ ...options, storage })).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
  })

  it('of several processes are made by one of them at a time', async () => {
    const { volt, dbName } = await handle()
    const folder = await newFolder()
    const env = { MONGODB_URI: server.uri, DB_NAME: dbName, FOLDER: folder }
    const program = new URL('./processes/scheduler.ts', import.meta.url)
    const children = [1, 2, 3].map(() => startChild(program, { env }))
    for (const child of children) await child.next('started')
    const storage = folderStorage(folder)
    const backups = await eventually('several backups', async () => {
      const found = await volt.backup.list(storage)
      return found.length >= (full ? 4 : 3) ? found : undefined
    })
    for (const [at, { startedAt }] of backups.entries()) {
      const before = backups[at - 1]
      // Due two seconds after the end of the one before: two processes would have made theirs together.
      if (before !== undefined) expect(startedAt.getTime() - before.startedAt.getTime()).toBeGreaterThan(1_900)
    }
  })
})
