import { describe, expect, it } from 'vitest'
import type { BackupStorage } from '../../src/backup/storage/storage.js'
import { openVolt } from '../support/volt.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'
import { fillZoo } from './support/zoo.js'

const server = await startBackupServer()

/** Of a storage whose every third call fails, wherever it is in its work. */
function everyThirdFails(files: MemoryStorage): BackupStorage {
  let calls = 0
  const step = () => {
    calls += 1
    if (calls % 3 === 0) throw new Error('the line is down')
  }
  return {
    name: 'a line that breaks',
    async write(path, content) {
      step()
      await files.write(path, content)
    },
    async *read(path) {
      step()
      yield* files.read(path)
    },
    async *list(prefix) {
      step()
      yield* files.list(prefix)
    },
    async remove(path) {
      step()
      await files.remove(path)
    },
  }
}

describe('a storage that fails every third call', () => {
  it('has nothing that passes for whole and is not, loses nothing, and everything is right once it works again', async () => {
    const name = server.newName()
    await fillZoo(server.db(name))
    const volt = await openVolt({ uri: server.uri, dbName: name })
    const files = new MemoryStorage()
    const broken = everyThirdFails(files)
    const failure = { code: 'STORAGE', retryable: true, message: expect.stringMatching(/the line is down/) }
    await expect(volt.backup.create({ storage: broken })).rejects.toMatchObject(failure)
    expect((await volt.backup.list(files)).map(({ state }) => state)).toEqual(['incomplete'])

    const ids: string[] = []
    for (let at = 0; at < 3; at += 1) ids.push((await volt.backup.create({ storage: files })).id)
    await volt.backup.verify({ storage: files })
    await expect(volt.backup.verify({ storage: broken })).rejects.toMatchObject(failure)
    const into = server.newName()
    await expect(volt.backup.restore({ storage: broken, target: { into } })).rejects.toMatchObject(failure)
    const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
    expect(databases.map((one) => one.name)).not.toContain(into)

    await server.db(name).collection('empty').insertOne({ a: 1 })
    const keep = { days: 0, last: 1 }
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await expect(volt.backup.slice({ storage: broken })).rejects.toMatchObject(failure)
      await expect(volt.backup.prune({ storage: broken, keep })).rejects.toMatchObject(failure)
      const there = (await volt.backup.list(files)).filter(({ state }) => state === 'complete')
      expect(there.map(({ id }) => id)).toContain(ids[2])
      expect((await volt.backup.reachable(files)).findings).toEqual([])
    }
    expect(await volt.backup.slice({ storage: files })).toMatchObject({ entries: 1, isContinued: false })
    await volt.backup.prune({ storage: files, keep })
    const left = (await volt.backup.list(files)).filter(({ state }) => state === 'complete')
    expect(left.map(({ id }) => id)).toEqual([ids[2]])
    expect(await volt.backup.verify({ storage: files, backup: ids[2] ?? '' })).toMatchObject({ valid: true })
  })
})
