import { expect, it } from 'vitest'
import { resealBackupKeys } from '../../src/backup/keep/reseal-keys.js'
import { openVolt } from '../support/volt.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'

const server = await startBackupServer()
const [first, second] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string]

it('seals the keys of backups and slices anew, and nothing else of them; what it cannot open stays as it is', async () => {
  const dbName = server.newName()
  const things = server.db(dbName).collection('things')
  await things.insertOne({ a: 1 })
  const storage = new MemoryStorage()
  const handle = (keys: { active: string; keys: Record<string, string> }) =>
    openVolt({ uri: server.uri, dbName }, { keys })
  const before = await handle({ active: 'first', keys: { first } })
  await before.backup.create({ storage, encrypt: true })
  await things.insertOne({ a: 2 })
  await before.backup.slice({ storage, encrypt: true })
  await before.backup.create({ storage })
  const others = () => [...storage.files].filter(([path]) => !path.endsWith('/key.txt'))
  const untouched = others()

  const unknown = await resealBackupKeys({ storage, keys: { active: 'second', keys: { second } } })
  expect(unknown).toMatchObject({ resealed: 0, current: 0, failed: [{ problem: expect.stringMatching(/first/) }, {}] })
  const rotation = { active: 'second', keys: { first, second } }
  expect(await resealBackupKeys({ storage, keys: rotation })).toEqual({ resealed: 2, current: 0, failed: [] })
  expect(await resealBackupKeys({ storage, keys: rotation })).toEqual({ resealed: 0, current: 2, failed: [] })
  expect(others()).toEqual(untouched)

  const after = await handle({ active: 'second', keys: { second } })
  const [backup] = await after.backup.list(storage)
  expect(await after.backup.verify({ storage, backup: backup?.id ?? '' })).toMatchObject({ valid: true, documents: 1 })
  await expect(before.backup.verify({ storage, backup: backup?.id ?? '' })).rejects.toMatchObject({ code: 'KEY_RING' })
})
