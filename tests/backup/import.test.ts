import { createWriteStream } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { importDump } from '@autovolt/data/backup'
import { BSON } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { openVolt } from '../support/volt.js'
import { newFolder } from './support/folder.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'
import { fillZoo } from './support/zoo.js'

const server = await startBackupServer()
const documents = Buffer.concat([1, 2, 3].map((_id) => Buffer.from(BSON.serialize({ _id, name: `device ${_id}` }))))
/** As mongodump 100.9 writes it, relaxed numbers included. */
const metadata = JSON.stringify({
  indexes: [
    { v: { $numberInt: '2' }, key: { _id: { $numberInt: '1' } }, name: '_id_' },
    { v: 2, key: { name: { $numberInt: '1' } }, name: 'name_1', unique: true, ns: 'school.devices', background: true },
  ],
  uuid: 'a33c9a6a0ef44f5cb8a4b0c8f0b9a8e1',
  collectionName: 'devices',
  type: 'collection',
})

async function dumpOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await newFolder()
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

const plain = { 'school/devices.bson': documents, 'school/devices.metadata.json': metadata }

async function restored(storage: MemoryStorage) {
  const volt = await openVolt({ uri: server.uri, dbName: server.newName() })
  const into = server.newName()
  expect(await volt.backup.restore({ storage, target: { into } })).toMatchObject({ valid: true })
  return server.db(into)
}

describe('a dump of mongodump', () => {
  it('is restored like a backup, plain or compressed, with its indexes', async () => {
    const compressed = Object.fromEntries(Object.entries(plain).map(([path, one]) => [`${path}.gz`, gzipSync(one)]))
    for (const files of [plain, compressed, { ...compressed, 'prelude.json': '{"ServerVersion":"6.0.5"}' }]) {
      const storage = new MemoryStorage()
      const folder = await dumpOf(files)
      const { content } = await importDump({ from: folder, storage })
      expect(content).toMatchObject({ database: 'school', clusterTime: null, documents: 3 })
      const db = await restored(storage)
      expect(await db.collection('devices').countDocuments()).toBe(3)
      expect(await db.collection('devices').indexExists('name_1')).toBe(true)
    }
  })

  it('of several databases is imported by name', async () => {
    const other = { 'other/things.bson': '', 'other/things.metadata.json.gz': gzipSync('{}') }
    const from = await dumpOf({ ...plain, ...other, 'other/things.bson.gz': gzipSync('') })
    const storage = new MemoryStorage()
    await expect(importDump({ from, storage })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('other, school'),
    })
    expect((await importDump({ from, storage, database: 'other' })).content?.documents).toBe(0)
    expect((await importDump({ from: join(from, 'school'), storage })).content?.database).toBe('school')
  })

  it('that is cut off, or has no documents of a collection, is refused by name', async () => {
    const whole = gzipSync(documents)
    const cases: [Readonly<Record<string, string | Buffer>>, RegExp][] = [
      [{ ...plain, 'school/devices.bson': documents.subarray(0, -3) }, /devices\.bson .*cut off/],
      [{ 'school/devices.metadata.json': metadata }, /no documents of devices/],
      [{ ...plain, 'school/devices.metadata.json': metadata.slice(0, -4) }, /devices\.metadata\.json/],
      [
        { 'school/devices.metadata.json.gz': gzipSync(metadata), 'school/devices.bson.gz': whole.subarray(0, -9) },
        /devices\.bson\.gz/,
      ],
    ]
    for (const [files, message] of cases) {
      const from = await dumpOf(files)
      const storage = new MemoryStorage()
      await expect(importDump({ from, storage })).rejects.toMatchObject({
        code: 'BACKUP_DAMAGED',
        message: expect.stringMatching(message),
      })
      expect([...storage.files.keys()].filter((path) => path.endsWith('manifest.json'))).toEqual([])
    }
  })

  it('is refused where it is none, or has an oplog', async () => {
    const storage = new MemoryStorage()
    const refused = { code: 'CONFIGURATION' }
    await expect(importDump({ from: '/nothing/there', storage })).rejects.toMatchObject(refused)
    await expect(importDump({ from: await newFolder(), storage })).rejects.toMatchObject(refused)
    const withOplog = await dumpOf({ ...plain, 'oplog.bson': '' })
    await expect(importDump({ from: withOplog, storage })).rejects.toMatchObject(refused)
  })
})

describe('an archive', () => {
  let name: string
  const archives: Record<'gzip' | 'none', string> = { gzip: '', none: '' }

  beforeAll(async () => {
    name = server.newName()
    await fillZoo(server.db(name))
    const volt = await openVolt({ uri: server.uri, dbName: name })
    const folder = await newFolder()
    for (const compression of ['gzip', 'none'] as const) {
      archives[compression] = join(folder, compression)
      await pipeline(volt.backup.stream({ compression }), createWriteStream(archives[compression]))
    }
  })

  it('is restored byte by byte, views and time series included', async () => {
    const before = await server.db(name).command({ dbHash: 1 })
    for (const from of Object.values(archives)) {
      const storage = new MemoryStorage()
      await importDump({ from, storage })
      const db = await restored(storage)
      const after = await db.command({ dbHash: 1 })
      const own = ['backup_schedules', 'leases', 'privacy_erasures', 'restore_journals', 'system.views']
      for (const one of own) for (const { collections } of [before, after]) delete collections[one]
      expect(after.collections).toEqual(before.collections)
      expect(await db.collection('named').countDocuments()).toBe(4)
    }
  })

  it('that was cut off, or altered in a document, is refused', async () => {
    const bytes = await readFile(archives.none)
    const folder = await newFolder()
    const at = bytes.indexOf('Asha')
    const altered = Buffer.from(bytes)
    altered[at] = 0x42
    for (const damaged of [bytes.subarray(0, -100_000), bytes.subarray(0, bytes.length / 2), altered]) {
      const from = join(folder, 'damaged')
      await writeFile(from, damaged)
      const storage = new MemoryStorage()
      await expect(importDump({ from, storage })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' })
      expect(storage.files.size).toBe(0)
    }
  })
})
