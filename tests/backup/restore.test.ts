import { BSON, type Document, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { formatSignedJson } from '../../src/backup/format/signed-json.js'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { openVolt } from '../support/volt.js'
import { contentOf } from './support/content.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'
import { fillZoo } from './support/zoo.js'

const server = await startBackupServer()
const { uri } = server
const handleOn = (dbName: string, options = {}) => openVolt({ uri, dbName }, options)

describe('a restore into a new database', () => {
  it('brings back everything, byte by byte, with options, indexes, validators and expiry', async () => {
    const name = server.newName()
    await fillZoo(server.db(name))
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    await volt.backup.create({ storage, encrypt: true })
    const into = server.newName()
    const report = await volt.backup.restore({ storage, target: { into } })
    expect(report).toMatchObject({ valid: true, database: into, dryRun: false })
    expect(await contentOf(server.db(into))).toEqual(await contentOf(server.db(name)))
    const refused = server.db(into).collection('animals').insertOne({ nameless: true })
    await expect(refused).rejects.toMatchObject({ code: 121 })
    expect(await server.db(into).collection('named').countDocuments()).toBe(4)
    expect(await server.db(into).collection('weather').countDocuments()).toBe(300)
  })

  it('writes nothing on a dry run, nor with a damaged backup, nor into a database that is not empty', async () => {
    const name = server.newName()
    await server.db(name).collection('things').insertOne({ a: 1 })
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    const { id } = await volt.backup.create({ storage })
    const into = server.newName()
    const dry = await volt.backup.restore({ storage, target: { into }, dryRun: true })
    expect(dry.collections).toEqual([{ name: 'things', as: 'things', documents: 1 }])
    await expect(volt.backup.restore({ storage, target: { into: name } })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/has collections already \(things\)/),
    })
    const path = `${id}/${name}/things.bson.gz`
    storage.files.set(path, (storage.files.get(path) as Buffer).subarray(1))
    await expect(volt.backup.restore({ storage, target: { into } })).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
      message: expect.stringContaining('things.bson.gz'),
    })
    const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
    expect(databases.map((one) => one.name)).not.toContain(into)
  })

  it.each<[what: string, forge: (collection: Document) => void]>([
    ['a validator', ({ options }) => Object.assign(options, { validator: { $nothing: 1 } })],
    ['an option', ({ options }) => Object.assign(options, { nothing: 1 })],
    ['an index', ({ indexes }) => indexes.push({ v: 2, key: { a: 'nothing' }, name: 'a_nothing' })],
  ])('says that the server refuses %s that cannot be', async (_, forge) => {
    const name = server.newName()
    await server.db(name).collection('things').insertOne({ a: 1 })
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    const { id } = await volt.backup.create({ storage })
    const path = `${id}/manifest.json`
    const { content } = BSON.EJSON.parse(String(storage.files.get(path)), { relaxed: false })
    forge(content.collections[0])
    storage.files.set(path, Buffer.from(formatSignedJson({ content, signature: null })))
    await expect(volt.backup.restore({ storage, target: { into: server.newName() } })).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
      message: expect.stringMatching(
        /^The server refuses what the backup says of the collection things: .*newer server$/s,
      ),
    })
  })

  it('takes the collections that are named, under other names, and refuses names that cannot be', async () => {
    const name = server.newName()
    await fillZoo(server.db(name))
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    const into = server.newName()
    const collections = ['animals', 'weather']
    await volt.backup.restore({ storage, target: { into }, collections, rename: { weather: 'climate' } })
    const listed = await server.db(into).listCollections({}, { nameOnly: true }).toArray()
    expect(listed.map((one) => one.name)).toEqual(expect.arrayContaining(['animals', 'climate']))
    expect(await server.db(into).collection('climate').countDocuments()).toBe(300)
    const other = { storage, target: { into: server.newName() } }
    const refused = { code: 'CONFIGURATION' }
    await expect(volt.backup.restore({ ...other, collections: ['nothing'] })).rejects.toMatchObject(refused)
    await expect(volt.backup.restore({ ...other, rename: { animals: 'empty' } })).rejects.toMatchObject(refused)
    for (const bad of ['', 'system.users', 'a$b', 'x'.repeat(250)])
      await expect(volt.backup.restore({ ...other, rename: { animals: bad } })).rejects.toMatchObject(refused)
  })

  it('picks the newest backup that is not younger than a day or an instant', async () => {
    const name = server.newName()
    await server.db(name).collection('things').insertOne({ a: 1 })
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    const { id } = await volt.backup.create({ storage })
    const today = new Date().toISOString().slice(0, 10)
    for (const backup of ['latest', id, today, new Date(Date.now() + 1000).toISOString()])
      expect(await volt.backup.verify({ storage, backup })).toMatchObject({ id, valid: true })
    const before = volt.backup.verify({ storage, backup: '2020-01-01T10:00:00Z' })
    await expect(before).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.backup.verify({ storage, backup: 'newest' })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('a storage with backups of several databases', () => {
  const backedUp = async (storage: MemoryStorage, thing: string) => {
    const name = server.newName()
    await server.db(name).collection<{ _id: string }>('things').insertOne({ _id: thing })
    const volt = await handleOn(name)
    const { id } = await volt.backup.create({ storage })
    const things = async (database = name) =>
      (await server.db(database).collection('things').find().toArray()).map(({ _id }) => _id)
    return { name, volt, id, things }
  }

  it('gives each its own, and one of another only by its id', async () => {
    const storage = new MemoryStorage()
    const first = await backedUp(storage, 'of the first')
    const second = await backedUp(storage, 'of the second')
    await first.volt.backup.restore({ storage, target: { inPlace: 'replace' } })
    expect(await first.things()).toEqual(['of the first'])
    expect(await second.volt.backup.restoreDrill({ storage })).toMatchObject({ backupId: second.id })
    const into = server.newName()
    await second.volt.backup.restore({ storage, backup: first.id, target: { into } })
    expect(await second.things(into)).toEqual(['of the first'])
    const third = await handleOn(server.newName())
    const unclear = { code: 'CONFIGURATION', message: expect.stringContaining('by its id') }
    await expect(third.backup.restore({ storage, target: { into: server.newName() } })).rejects.toMatchObject(unclear)
    await expect(third.backup.restoreDrill({ storage })).rejects.toMatchObject(unclear)
  })

  it('gives a new database the only one that there are backups of, and replaces no other by it', async () => {
    const storage = new MemoryStorage()
    const only = await backedUp(storage, 'the only one')
    const into = server.newName()
    const empty = await handleOn(into)
    await empty.backup.restore({ storage, target: { into } })
    expect(await only.things(into)).toEqual(['the only one'])
    const other = server.newName()
    await server.db(other).collection('things').insertOne({ mine: true })
    const refused = (await handleOn(other)).backup.restore({ storage, target: { inPlace: 'replace' } })
    await expect(refused).rejects.toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(only.name) })
    expect(await server.db(other).collection('things').countDocuments({ mine: true })).toBe(1)
  })
})

describe('a restore in place', () => {
  let name: string
  let volt: AutoVolt
  const storage = new MemoryStorage()

  beforeAll(async () => {
    name = server.newName()
    await fillZoo(server.db(name))
    volt = await handleOn(name)
    await volt.setup()
    await volt.backup.create({ storage })
  })

  it('puts back what was changed, and refuses handles that were open before', async () => {
    const before = await contentOf(server.db(name))
    const db = server.db(name)
    await db.collection('animals').deleteMany({})
    await db.collection('weather').drop()
    await db.collection('named').drop()
    await db.collection('empty').insertOne({ now: true })
    await db.collection('log').drop()
    await db.createCollection('log', { viewOn: 'animals', pipeline: [] })
    await db.collection('since').insertOne({ new: true })
    const other = await handleOn(name)
    await other.classrooms.find({})
    const { caveats } = await volt.backup.restore({ storage, target: { inPlace: 'replace' } })
    expect(caveats).toContain('not in the backup, and left as they are: since')
    await db.collection('since').drop()
    expect(await contentOf(db)).toEqual(before)
    for (const stale of [volt, other])
      await expect(stale.classrooms.find({})).rejects.toMatchObject({
        code: 'RESTORING',
        message: expect.stringContaining('open a new one'),
      })
    const fresh = await handleOn(name)
    expect(await fresh.classrooms.find({})).toEqual([])
    expect(await fresh.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('merges by id: skips, replaces, or refuses before it has written', async () => {
    const source = server.newName()
    const things = server.db(source).collection<{ _id: number; from: string }>('things')
    await things.insertMany([1, 2, 3].map((_id) => ({ _id, from: 'backup' })))
    const handle = await handleOn(source)
    const merged = new MemoryStorage()
    await handle.backup.create({ storage: merged })
    const now = async () => (await things.find().sort({ _id: 1 }).toArray()).map((one) => `${one._id} ${one.from}`)
    await things.deleteMany({ _id: 1 })
    await things.updateOne({ _id: 2 }, { $set: { from: 'now' } })
    await things.insertOne({ _id: 4, from: 'now' })
    const merge = (onConflict: 'skip' | 'replace' | 'fail', dryRun = false) =>
      handle.backup.restore({ storage: merged, target: { inPlace: 'merge', onConflict }, dryRun })
    await expect(merge('fail', true)).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(merge('fail')).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await now()).toEqual(['2 now', '3 backup', '4 now'])
    await merge('skip')
    expect(await now()).toEqual(['1 backup', '2 now', '3 backup', '4 now'])
    await merge('replace')
    await merge('replace')
    expect(await now()).toEqual(['1 backup', '2 backup', '3 backup', '4 now'])
    await things.deleteMany({})
    await merge('fail')
    expect(await now()).toEqual(['1 backup', '2 backup', '3 backup'])
  })
})

describe('a restored ledger', () => {
  const keys = generateLogKeys('school.example/energy')
  const ledgerLog = { signerKeys: [keys.signerKey] }
  const event = (switchId: ObjectId, minute: number, notes?: string) => ({
    switchId,
    deviceId: new ObjectId('65f000000000000000000001'),
    classroom: new ObjectId('65f000000000000000000002'),
    timestamp: new Date(Date.UTC(2026, 2, 1, 10, minute)),
    receivedAt: new Date(Date.UTC(2026, 2, 1, 10, minute, 1)),
    eventType: 'power_reading' as const,
    powerState: true,
    powerRating: 75,
    energySource: 'power' as const,
    reading: { powerW: 73.5 },
    gapLimitMs: 300_000,
    ratePerKwh: 7.5,
    flags: [],
    metadata: { source: 'mqtt' as const },
    idempotencyKey: `${switchId.toHexString()} ${minute}`,
    ...(notes === undefined ? {} : { notes }),
  })

  it('is verified against the checkpoint of the backup, and what was erased since is erased again', async () => {
    const name = server.newName()
    const volt = await handleOn(name, { ledgerLog })
    await volt.setup()
    const switchId = new ObjectId()
    await volt.ledger.append([event(switchId, 0), event(switchId, 1)])
    const [personal] = await volt.ledger.append([event(switchId, 2, 'Asha was here')])
    const entryId = personal?.entry._id as ObjectId
    await volt.ledger.checkpoint()
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    await volt.ledger.erasePersonalData(entryId)
    const into = server.newName()
    const erase = [entryId.toHexString()]
    const report = await volt.backup.restore({ storage, target: { into }, erase })
    expect(report).toMatchObject({ valid: true, ledger: { valid: true, entries: 3, coveredEntries: 3, findings: [] } })
    const restored = await handleOn(into, { ledgerLog })
    expect(await restored.ledger.personalDataOf(entryId)).toBeNull()
    expect(await restored.setup({ dryRun: true })).toMatchObject({ isComplete: true })
    await restored.ledger.append([event(switchId, 4)])
    expect(await restored.ledger.verify()).toMatchObject({ valid: true, entries: 5 })
  })

  it('is restored though entries that came after the backup are to be erased, and not begun with a list that cannot be', async () => {
    const name = server.newName()
    const volt = await handleOn(name, { ledgerLog })
    await volt.setup()
    const switchId = new ObjectId()
    const [early] = await volt.ledger.append([event(switchId, 0, 'Asha was here')])
    const earlyId = early?.entry._id as ObjectId
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    const [late] = await volt.ledger.append([event(switchId, 1, 'Ravi was here')])
    for (const [appended] of [[early], [late]]) await volt.ledger.erasePersonalData(appended?.entry._id as ObjectId)
    const erase = [early, late].map((appended) => String(appended?.entry._id))
    const target = { inPlace: 'replace' } as const
    const bad = volt.backup.restore({ storage, target, erase: [...erase, 'no id'] })
    await expect(bad).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path: 'erase' }] })
    const people = [{ subject: 'nobody', requestedAt: new Date() }]
    await expect(volt.backup.restore({ storage, target, erasedPeople: people })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    expect(await volt.ledger.verify()).toMatchObject({ entries: 4 })
    const { caveats } = await volt.backup.restore({ storage, target, erase })
    expect(caveats).toContain('1 of 2 entries to be erased are not in the backup, or have nothing personal')
    const restored = await handleOn(name, { ledgerLog })
    expect(await restored.ledger.personalDataOf(earlyId)).toBeNull()
    expect(await restored.ledger.verify()).toMatchObject({ valid: true, entries: 2 })
  })

  it('has no personal data back after a merge, where their erasure is handed in', async () => {
    const name = server.newName()
    const volt = await handleOn(name, { ledgerLog })
    await volt.setup()
    const [appended] = await volt.ledger.append([event(new ObjectId(), 0, 'Asha was here')])
    const entryId = appended?.entry._id as ObjectId
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    await volt.ledger.erasePersonalData(entryId)
    const target = { inPlace: 'merge', onConflict: 'skip' } as const
    const collections = ['ledger_personal_data']
    await volt.backup.restore({ storage, target, collections, erase: [String(entryId)] })
    expect(await server.db(name).collection('ledger_personal_data').countDocuments()).toBe(0)
    expect(await volt.ledger.verify()).toMatchObject({ valid: true, findings: [] })
  })

  it('that was damaged before the backup is restored, and reported', async () => {
    const name = server.newName()
    const volt = await handleOn(name, { ledgerLog })
    await volt.setup()
    const switchId = new ObjectId()
    await volt.ledger.append([event(switchId, 0), event(switchId, 1)])
    await volt.ledger.checkpoint()
    const entries = server.db(name).collection(volt.ledger.entity.collection)
    await entries.deleteOne({ sequence: 2 })
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    const report = await volt.backup.restoreDrill({ storage })
    expect(report).toMatchObject({ valid: false, ledger: { findings: [{ damage: 'truncated' }] } })
    expect(await volt.backup.status()).toMatchObject({ lastDrillAt: null })
  })
})

it('a drill restores, verifies and leaves nothing behind', async () => {
  const name = server.newName()
  await fillZoo(server.db(name))
  const volt = await handleOn(name)
  const storage = new MemoryStorage()
  await volt.backup.create({ storage })
  const report = await volt.backup.restoreDrill({ storage })
  expect(report.valid).toBe(true)
  const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
  expect(databases.map((one) => one.name)).not.toContain(report.database)
  expect(await volt.backup.status()).toMatchObject({ lastDrillAt: expect.any(Date) })
})
