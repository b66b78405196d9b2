import { BSON, MongoClient } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { createArchive } from '../../src/backup/dump/create-archive.js'
import { createBackup } from '../../src/backup/dump/create-backup.js'
import { DumpSource } from '../../src/backup/dump/dump-source.js'
import { formatSignedJson } from '../../src/backup/format/signed-json.js'
import { StorageAccess } from '../../src/backup/storage/storage-access.js'
import { cleanUpLater } from '../support/clean-up.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { MemoryStorage } from './support/memory-storage.js'
import { readDumpArchive, readDumpFolder } from './support/mongodump-reader.js'
import { fillZoo } from './support/zoo.js'

const { uri } = await startMongodProcess()
const client = new MongoClient(uri)
cleanUpLater(() => client.close())
const db = client.db('zoo')
const sourceOptions = { checkpoints: 'ledger_checkpoints', left: [], timeline: 'first' }
const common = { keyRing: undefined, signers: [], now: () => new Date() }

beforeAll(() => fillZoo(db))

/** The documents of a collection as they are stored. */
async function stored(name: string): Promise<Buffer> {
  const documents = await db.collection(name).find({}, { raw: true }).toArray()
  return Buffer.concat(documents as unknown as Buffer[])
}

const names = ['animals', 'empty', 'log', 'named', `odd name/with "${'x'.repeat(20)}`, 'weather']

async function expectWhole(found: ReturnType<typeof readDumpFolder>) {
  expect([...found.keys()].filter((name) => !name.startsWith('$')).sort()).toEqual([...names].sort())
  for (const name of names) {
    const dumped = found.get(name)
    const [listed] = await db.listCollections({ name }, { promoteValues: false, bsonRegExp: true }).toArray()
    const type = String(listed?.type)
    const isView = type === 'view'
    const raw = isView ? Buffer.alloc(0) : await stored(type === 'timeseries' ? `system.buckets.${name}` : name)
    expect(dumped?.raw.equals(raw)).toBe(true)
    expect(dumped?.metadata.options).toEqual((listed as { options?: object }).options)
    expect(dumped?.metadata.collectionName).toBe(name)
    expect(dumped?.metadata.uuid === undefined).toBe(type !== 'collection')
    const indexes = isView ? [] : await db.collection(name).listIndexes({ promoteValues: false }).toArray()
    expect(dumped?.metadata.indexes).toEqual(indexes)
  }
}

describe.each(['gzip', 'none'] as const)('a backup with compression %s', (compression) => {
  it('has the layout of mongodump, byte by byte what is stored', async () => {
    const storage = new MemoryStorage()
    const source = await DumpSource.open(db, sourceOptions)
    const content = await createBackup(source, new StorageAccess(storage), { ...common, compression })
    const inside = new Map([...storage.files].map(([path, bytes]) => [path.slice(content.id.length + 1), bytes]))
    await expectWhole(readDumpFolder(inside, 'zoo'))
    expect([...inside.keys()].at(-1)).toBe('manifest.json')
    expect(content.collections.map(({ name, documents }) => [name, documents])).toEqual([
      ['animals', 4],
      ['empty', 0],
      ['log', 2],
      ['named', 0],
      [names[4], 1],
      ['weather', (await db.collection('system.buckets.weather').countDocuments()) as number],
    ])
    expect(content.collections.filter((one) => !one.isAtClusterTime).map(({ name }) => name)).toEqual(['log'])
    const manifest = inside.get('manifest.json')?.toString() ?? ''
    expect(formatSignedJson({ content, signature: null })).toBe(manifest)
    // EJSON that any tool can read.
    expect(BSON.EJSON.parse(manifest)).toMatchObject({ content: { id: content.id, database: 'zoo' } })
  })

  it('is an archive of mongodump as a stream', async () => {
    const source = await DumpSource.open(db, sourceOptions)
    const chunks: Uint8Array[] = []
    for await (const chunk of createArchive(source, { ...common, compression })) chunks.push(chunk)
    await expectWhole(readDumpArchive(Buffer.concat(chunks)))
  })
})

it('takes only the collections that are named, and refuses one that is not there', async () => {
  const source = await DumpSource.open(db, { ...sourceOptions, collections: ['empty', 'log'] })
  expect(source.collections.map(({ name }) => name)).toEqual(['empty', 'log'])
  await expect(DumpSource.open(db, { ...sourceOptions, collections: ['nothing'] })).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: 'zoo has no collection nothing',
  })
})

it('refuses a state that it did not read: a collection that was dropped or created anew meanwhile', async () => {
  const other = client.db('dropped')
  await other.collection('things').insertMany([{ a: 1 }, { a: 2 }])
  await other.collection('others').insertOne({ a: 1 })
  const source = await DumpSource.open(other, sourceOptions)
  await other.collection('things').drop()
  await expect(
    createBackup(source, new StorageAccess(new MemoryStorage()), { ...common, compression: 'none' }),
  ).rejects.toMatchObject({ code: 'CONFLICT', retryable: true, message: /things was dropped or renamed/ })
  const again = await DumpSource.open(other, sourceOptions)
  await other.collection('others').drop()
  await other.collection('others').insertOne({ a: 2 })
  const begun = createBackup(again, new StorageAccess(new MemoryStorage()), { ...common, compression: 'none' })
  await expect(begun).rejects.toMatchObject({ code: 'CONFLICT', retryable: true })
})

it('says which parameter helps when the server no longer has the history', async () => {
  const source = await DumpSource.open(db, sourceOptions)
  await db.admin().command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: 0 })
  for (let write = 0; write < 5; write += 1) {
    await client
      .db('other')
      .collection('x')
      .insertOne({ write }, { writeConcern: { w: 'majority' } })
    await db.admin().command({ fsync: 1 })
  }
  const storage = new MemoryStorage()
  const backup = createBackup(source, new StorageAccess(storage), { ...common, compression: 'none' })
  await expect(backup).rejects.toMatchObject({ code: 'HISTORY_LOST', message: /minSnapshotHistoryWindowInSeconds/ })
  expect([...storage.files.keys()].some((path) => path.endsWith('manifest.json'))).toBe(false)
  await db.admin().command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: 300 })
})
