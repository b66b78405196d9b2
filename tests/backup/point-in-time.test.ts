import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, type Document, Double, Int32 } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { eventually } from '../support/eventually.js'
import { startSecuredMongod } from '../support/secured-mongod.js'
import { openVolt } from '../support/volt.js'
import { contentOf } from './support/content.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'
import { fillZoo } from './support/zoo.js'

const server = await startBackupServer()
const { uri } = server
const handleOn = (dbName: string, options = {}) => openVolt({ uri, dbName }, options)

/** The second in which the last change was, once it is over; such as `2026-11-02T10:00:00Z`. */
async function endOfSecond(db: Db = server.client.db('admin')): Promise<string> {
  const { operationTime } = await db.command({ ping: 1 })
  await sleep(1100)
  return new Date(operationTime.t * 1000).toISOString().replace('.000Z', 'Z')
}

interface Loose {
  readonly _id?: string | number | Double | object
  readonly [field: string]: unknown
}

interface Moment {
  readonly what: string
  readonly instant: string
  readonly content: Record<string, unknown>
}

/** Changes of every kind, by what they are. */
const changes: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  'documents change': async (db) => {
    const animals = db.collection<Loose>('animals')
    await animals.updateOne({ name: 'Asha' }, { $set: { legs: new Int32(3), 'deep.er': [1] }, $unset: { weight: 1 } })
    await animals.deleteOne({ name: 'odd' })
    await animals.insertMany(
      Array.from({ length: 50 }, (_, n) => ({ name: `new ${n}`, n, '7': n, '5': [n, { '9': 1, '1': 2 }] })),
    )
    await animals.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1 } } as Document)
    await animals.updateOne({ name: 'new 1' }, { $push: { '5': { $each: [1, 2], $position: 0 } } } as Document)
    await animals.replaceOne({ name: 'new 2' }, { name: 'replaced', diff: { u: 1 } })
    await animals.deleteMany({ n: { $in: [10, 11, 12] } })
  },
  'a time series grows, and another comes with an index': async (db) => {
    const at = (minute: number) => new Date(Date.UTC(2026, 2, 2, 0, minute))
    await db.collection('weather').insertMany([1, 2, 3].map((n) => ({ at: at(n), place: { room: n }, celsius: n })))
    await db.createCollection('meters', { timeseries: { timeField: 'at', metaField: 'meter' } })
    for (const n of [1, 2, 3]) await db.collection('meters').insertOne({ at: at(n), meter: 'a', wh: n })
    await db.collection('meters').createIndex({ meter: 1, at: -1 })
    await db.collection('weather').dropIndex('place.room_1_at_1')
    await db.command({ collMod: 'meters', timeseries: { granularity: 'minutes' }, expireAfterSeconds: 900_000_000 })
    await db.collection('meters').insertOne({ at: at(100), meter: 'a', wh: 4 })
  },
  'a transaction over several collections and databases': async (db) => {
    await db.client.withSession((session) =>
      session.withTransaction(async () => {
        await db.collection<Loose>('animals').insertOne({ _id: 'in transaction', name: 'T' }, { session })
        await db.client.db(`${db.databaseName}_other`).collection('things').insertOne({ other: true }, { session })
        await db.collection('made_in_transaction').insertOne({ a: 1 }, { session })
        await db.collection<Loose>('animals').updateOne({ _id: 'in transaction' }, { $set: { n: 1 } }, { session })
      }),
    )
  },
  'a transaction larger than an entry of the oplog': async (db) => {
    await db.client.withSession((session) =>
      session.withTransaction(async () => {
        for (let n = 0; n < 20; n += 1)
          await db.collection<Loose>('large').insertOne({ _id: n, bytes: randomBytes(1 << 20) }, { session })
      }),
    )
  },
  'indexes, validators, expiry and views change': async (db) => {
    await db.collection('empty').createIndex({ a: 1 }, { unique: true, expireAfterSeconds: 500_000 })
    await db.collection('animals').createIndex({ n: 1 }, { name: 'by n', sparse: true })
    await db.collection('animals').dropIndex('wild')
    await db.command({ collMod: 'animals', validator: { name: { $type: 'string' } }, validationLevel: 'strict' })
    await db.command({ collMod: 'animals', index: { name: 'by n', hidden: true } })
    await db.command({ collMod: 'empty', index: { name: 'a_1', expireAfterSeconds: new Int32(600_000) } })
    await db.command({ collMod: 'named', viewOn: 'animals', pipeline: [{ $match: { n: 1 } }] })
    await db.createCollection('second view', { viewOn: 'empty', pipeline: [] })
  },
  'collections come, go and are renamed': async (db) => {
    await db.collection('empty').rename('no longer empty')
    await db.collection<Loose>('no longer empty').insertOne({ _id: 1, a: 1 })
    await db.createCollection('empty', { collation: { locale: 'en', strength: 2 } })
    await db.collection<Loose>('empty').insertOne({ _id: 'A' })
    await db.collection<Loose>('empty').deleteOne({ _id: 'a' })
    await db.collection<Loose>('empty').insertOne({ _id: 'a' })
    await db.collection('to go').insertOne({ a: 1 })
    await db.collection('to go').rename('made_in_transaction', { dropTarget: true })
    await db
      .collection('animals')
      .aggregate([{ $out: 'copied' }])
      .toArray()
    await db.createCollection('plain')
    await db.collection('plain').insertMany([{ a: 1 }, { a: 2 }])
    await db.command({ convertToCapped: 'plain', size: 4096 })
  },
  'an id is deleted and comes again in another type': async (db) => {
    const large = db.collection<Loose>('large')
    await large.deleteMany({ _id: { $gte: 3 } })
    await large.deleteOne({ _id: 1 })
    await large.insertOne({ _id: new Double(1), again: true })
    await large.insertOne({ _id: { odd: { b: 1, a: 2 } } })
  },
  'a time series and a view are dropped': async (db) => {
    await db.collection('meters').drop()
    await db.collection('second view').drop()
  },
  'the database is dropped and begun anew': async (db) => {
    await db.dropDatabase()
    await db.collection('after').insertOne({ begun: 'anew' })
  },
}

describe('a database with slices', () => {
  const keys = generateLogKeys('school.example/energy')
  const ledgerLog = { signerKeys: [keys.signerKey] }
  const storage = new MemoryStorage()
  const moments: Moment[] = []
  let name: string
  let bases: string[]

  beforeAll(async () => {
    name = server.newName()
    const db = server.db(name)
    await fillZoo(db)
    const volt = await handleOn(name, { ledgerLog })
    bases = [(await volt.backup.create({ storage })).id]
    const note = async (what: string) =>
      moments.push({ what, instant: await endOfSecond(), content: await contentOf(db) })
    await note('the backup')
    for (const [at, [what, change]] of Object.entries(changes).entries()) {
      await change(db)
      await note(what)
      const slice = await volt.backup.slice({ storage, encrypt: at % 2 === 0 })
      expect(slice).toMatchObject({ isContinued: at > 0, unreplayable: [] })
      if (at === 4) bases.push((await volt.backup.create({ storage, encrypt: true })).id)
    }
    await db.collection('later').insertOne({ a: 1 })
    await sleep(1100)
    await volt.backup.slice({ storage })
  })

  it('is restored to each second, byte by byte, with options and indexes', async () => {
    const volt = await handleOn(name, { ledgerLog })
    for (const { what, instant, content } of moments) {
      const into = server.newName()
      const report = await volt.backup.restore({ storage, to: instant, target: { into } })
      expect(report, what).toMatchObject({ valid: true, database: into })
      expect(await contentOf(server.db(into)), what).toEqual(content)
      await server.db(into).dropDatabase()
    }
  })

  it('is restored from an older backup where the newest is damaged, or that one is named', async () => {
    const volt = await handleOn(name, { ledgerLog })
    const { instant, content } = moments[7] as Moment
    const [first = '', second = ''] = bases
    const [into, damaged] = [server.newName(), new MemoryStorage()]
    for (const [path, bytes] of storage.files) damaged.files.set(path, bytes)
    const path = [...damaged.files.keys()].find(
      (one) => one.startsWith(second) && one.includes('animals.bson'),
    ) as string
    damaged.files.set(path, (damaged.files.get(path) as Buffer).subarray(1))
    const report = await volt.backup.restore({ storage: damaged, to: instant, target: { into } })
    expect(report.backupId).toContain(first)
    expect(report.caveats.join()).toContain(`${second} is damaged`)
    expect(await contentOf(server.db(into))).toEqual(content)
    const named = await volt.backup.restore({ storage, backup: first, to: instant, target: { into: server.newName() } })
    expect(named.backupId).toContain(first)
  })

  it('says what can be reached, and tells for every other second why not', async () => {
    const volt = await handleOn(name, { ledgerLog })
    const { spans, findings } = await volt.backup.reachable(storage)
    expect(findings).toEqual([])
    expect(spans).toHaveLength(1)
    expect(spans[0]?.backups).toEqual(bases)
    const target = { into: server.newName() }
    const before = new Date((spans[0]?.from.getTime() ?? 0) - 1000).toISOString()
    const after = new Date((spans[0]?.to.getTime() ?? 0) + 1000).toISOString()
    const refused = (to: string) => volt.backup.restore({ storage, to, target })
    await expect(refused(before)).rejects.toMatchObject({
      code: 'HISTORY_LOST',
      message: expect.stringMatching(/no backup is of an earlier/),
    })
    await expect(refused(after)).rejects.toMatchObject({
      code: 'HISTORY_LOST',
      message: expect.stringMatching(/slices end at/),
    })
    for (const odd of ['2026-11-02', 'yesterday', '2026-11-02T10:00:00.5Z'])
      await expect(refused(odd)).rejects.toMatchObject({ code: 'CONFIGURATION' })
    for (const { from, to } of spans)
      for (const end of [from, to]) {
        const into = server.newName()
        await volt.backup.restore({ storage, to: end.toISOString(), target: { into } })
        await server.db(into).dropDatabase()
      }
  })

  it('of which a slice is missing, altered, cut or doubled is refused before anything is written, and that is named', async () => {
    const volt = await handleOn(name, { ledgerLog })
    const { instant } = moments[4] as Moment
    const into = server.newName()
    const slices = [...storage.files.keys()].filter((path) => path.startsWith(`slices/${name}/`)).toSorted()
    // The third is one of those that the instant needs.
    const folder = [...new Set(slices.map((path) => path.slice(0, path.lastIndexOf('/'))))][2] ?? ''
    const own = slices.filter((path) => path.startsWith(`${folder}/`))
    expect(own.map((path) => path.slice(folder.length + 1))).toEqual([
      'entries.bson.gz.sealed',
      'key.txt',
      'slice.json',
    ])
    const alterations: readonly ((bytes: Buffer) => Buffer | undefined)[] = [
      () => undefined,
      (bytes) => Buffer.concat([bytes, bytes]),
      (bytes) => bytes.subarray(0, bytes.length - 1),
      (bytes) => bytes.subarray(1),
      (bytes) => Buffer.alloc(0, bytes),
      ...[0, 0.3, 0.6, 0.99].map((part) => (bytes: Buffer) => {
        const flipped = Buffer.from(bytes)
        const at = Math.floor(part * bytes.length)
        flipped[at] = (flipped[at] ?? 0) ^ 4
        return flipped
      }),
    ]
    for (const path of own)
      for (const alter of alterations) {
        const altered = new MemoryStorage()
        for (const [one, bytes] of storage.files) altered.files.set(one, bytes)
        const bytes = alter(storage.files.get(path) as Buffer)
        if (bytes === undefined) altered.files.delete(path)
        else altered.files.set(path, bytes)
        const error = await volt.backup.restore({ storage: altered, to: instant, target: { into } }).catch((one) => one)
        expect(['BACKUP_DAMAGED', 'HISTORY_LOST', 'KEY_RING', 'STORAGE'], `${path}: ${error}`).toContain(error.code)
        expect(error.message).toMatch(/slice/)
      }
    const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
    expect(databases.map((one) => one.name)).not.toContain(into)
  })

  it('whose slices nobody with a known key has signed cannot be restored', async () => {
    const stranger = generateLogKeys('school.example/energy')
    const volt = await handleOn(name, { ledgerLog: { verifierKeys: [stranger.verifierKey] } })
    const refused = volt.backup.restore({ storage, to: moments[2]?.instant ?? '', target: { into: server.newName() } })
    await expect(refused).rejects.toMatchObject({
      code: 'HISTORY_LOST',
      message: expect.stringMatching(/not signed by/),
    })
  })

  it('gives back collections that came after the backup, and refuses those that were not there then', async () => {
    const volt = await handleOn(name, { ledgerLog })
    const { instant } = moments[2] as Moment
    const into = server.newName()
    const chosen = { storage, to: instant, backup: bases[0] ?? '', target: { into } }
    const report = await volt.backup.restore({ ...chosen, collections: ['meters'] })
    expect(report.collections).toEqual([{ name: 'meters', as: 'meters', documents: expect.any(Number) }])
    expect(await server.db(into).collection('meters').countDocuments()).toBe(4)
    const missing = volt.backup.restore({ ...chosen, target: { into: server.newName() }, collections: ['large'] })
    await expect(missing).rejects.toMatchObject({ code: 'CONFIGURATION', message: expect.stringMatching(/large/) })
    const inPlace = volt.backup.restore({ storage, to: instant, target: { inPlace: 'replace' }, rename: { no: 'yes' } })
    await expect(inPlace).rejects.toMatchObject({ code: 'CONFIGURATION' })
    const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
    expect(databases.map((one) => one.name).filter((one) => one.startsWith('autovolt_instant'))).toEqual([])
  })

  it('gives one collection back into the live database', async () => {
    const volt = await handleOn(name, { ledgerLog })
    const { instant, content } = moments[1] as Moment
    const target = { inPlace: 'replace' } as const
    const dry = await volt.backup.restore({ storage, to: instant, target, collections: ['weather'], dryRun: true })
    expect(dry).toMatchObject({ database: name, dryRun: true, collections: [{ name: 'weather' }] })
    await volt.backup.restore({
      storage,
      to: instant,
      target,
      collections: ['animals'],
      rename: { animals: 'found again' },
    })
    const { hashes } = (await contentOf(server.db(name))) as { hashes: Record<string, string> }
    expect(hashes['found again']).toBe((content.hashes as Record<string, string>).animals)
    expect(hashes.after).toBeDefined()
    const { databases } = await server.client.db('admin').admin().listDatabases({ nameOnly: true })
    expect(databases.map((one) => one.name).filter((one) => one.startsWith('autovolt_instant'))).toEqual([])
    // A restore begins a new history, which needs a backup of its own; the old one is there all the same.
    const anew = await handleOn(name, { ledgerLog })
    await expect(anew.backup.slice({ storage })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await anew.backup.create({ storage })
    await server.db(name).collection('after').insertOne({ once: 'more' })
    const later = await endOfSecond()
    await server.db(name).collection('after').insertOne({ and: 'more' })
    await sleep(1100)
    expect(await anew.backup.slice({ storage })).toMatchObject({ isContinued: false })
    expect((await anew.backup.reachable(storage)).spans).toHaveLength(2)
    const drill = await anew.backup.restoreDrill({ storage, to: later })
    expect(drill.collections).toContainEqual({ name: 'after', as: 'after', documents: 2 })
    const old = await anew.backup.restore({ storage, to: instant, target: { into: server.newName() } })
    expect(old.collections.map((one) => one.name)).toContain('weather')
  })
})

describe('slices', () => {
  it('are none where nothing has happened, and go on from the newest backup where there are none', async () => {
    const name = server.newName()
    const things = server.db(name).collection('things')
    await things.insertOne({ a: 1 })
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    await expect(volt.backup.slice({ storage })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await volt.backup.create({ storage })
    await things.insertOne({ a: 2 })
    const slice = await volt.backup.slice({ storage })
    expect(slice).toMatchObject({ entries: 1, isContinued: false })
    const files = storage.files.size
    for (let attempt = 0; attempt < 3; attempt += 1) if ((await volt.backup.slice({ storage })) === null) break
    expect(storage.files.size).toBeLessThanOrEqual(files + 6)
    expect(await volt.backup.status()).toMatchObject({ slices: { failures: 0, lastSuccessAt: expect.any(Date) } })
  })

  it('follow a collection that is renamed to another database, and say what cannot be followed', async () => {
    const [name, other] = [server.newName(), server.newName()]
    await server.db(name).collection('things').insertOne({ a: 1 })
    const volt = await handleOn(name)
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    await server.db(name).collection('more').insertOne({ a: 1 })
    const before = await endOfSecond()
    await server.client.db('admin').command({ renameCollection: `${name}.more`, to: `${other}.more` })
    await server.db(name).collection('things').insertOne({ a: 2 })
    const after = await endOfSecond()
    await volt.backup.slice({ storage })
    await server.db(name).collection('things').createIndex({ a: 1 })
    const command = { collMod: 'things', index: { name: 'a_1', prepareUnique: true } }
    await server.db(name).command(command)
    const stopped = await endOfSecond()
    await server.db(name).collection('things').insertOne({ a: 3 })
    await sleep(1100)
    const { unreplayable } = (await volt.backup.slice({ storage })) ?? {}
    expect(unreplayable).toEqual(['collMod with prepareUnique on things'])
    await expect(
      volt.backup.restore({ storage, to: stopped, target: { into: server.newName() } }),
    ).rejects.toMatchObject({ code: 'HISTORY_LOST', message: expect.stringMatching(/prepareUnique on things at/) })
    for (const [to, names] of [
      [before, ['more', 'things']],
      [after, ['things']],
    ] as const) {
      const report = await volt.backup.restore({ storage, to, target: { into: server.newName() } })
      expect(report.collections.map((one) => one.name).toSorted()).toEqual(names)
    }
  })

  it('whose history the oplog has lost say so, and go on from the next backup', async () => {
    const small = await startBackupServer(['--oplogSize', '1', '--syncdelay', '1'])
    const name = small.newName()
    const db = small.db(name)
    await db.collection('things').insertOne({ a: 1 })
    const volt = await openVolt({ uri: small.uri, dbName: name })
    const storage = new MemoryStorage()
    await volt.backup.create({ storage })
    await db.collection('things').insertOne({ a: 2 })
    const reached = await endOfSecond(db)
    await db.collection('things').insertOne({ a: 3 })
    await sleep(1100)
    await volt.backup.slice({ storage })
    const [last] = await small.client
      .db('local')
      .collection('oplog.rs')
      .find()
      .sort({ $natural: -1 })
      .limit(1)
      .toArray()
    await eventually(
      'the oplog has lost the end of the slice',
      async () => {
        await db.collection('bulk').insertMany(Array.from({ length: 40 }, () => ({ bytes: randomBytes(100_000) })))
        await db.collection('bulk').deleteMany({})
        const [first] = await small.client.db('local').collection('oplog.rs').find().limit(1).toArray()
        return first?.ts.gt(last?.ts)
      },
      { timeoutMs: 120_000 },
    )
    const lost = await endOfSecond(db)
    await db.collection('things').insertOne({ a: 3.5 })
    await expect(volt.backup.slice({ storage })).rejects.toMatchObject({ code: 'HISTORY_LOST' })
    await volt.backup.create({ storage })
    await db.collection('things').insertOne({ a: 4 })
    const found = await endOfSecond(db)
    await db.collection('things').insertOne({ a: 5 })
    await sleep(1100)
    expect(await volt.backup.slice({ storage })).toMatchObject({ isContinued: false })
    expect((await volt.backup.reachable(storage)).spans).toHaveLength(2)
    const restored = async (to: string) => {
      const into = small.newName()
      await volt.backup.restore({ storage, to, target: { into } })
      return small.db(into).collection('things').countDocuments()
    }
    expect(await restored(reached)).toBe(2)
    await expect(restored(lost)).rejects.toMatchObject({
      code: 'HISTORY_LOST',
      message: expect.stringMatching(/gap|end at/),
    })
    expect(await restored(found)).toBe(5)
  }, 600_000)

  it('are made by the schedule, which makes a backup at once where they cannot go on, and go with their backups', async () => {
    const name = server.newName()
    const things = server.db(name).collection('things')
    await things.insertOne({ a: 1 })
    const volt = await handleOn(name)
    await volt.setup()
    const storage = new MemoryStorage()
    volt.backup.start({ every: '100s', sliceEvery: '1s', storage })
    const reachable = async () => (await volt.backup.status()).slices?.reachableUntil ?? undefined
    const sliced = await eventually('a slice', reachable, { timeoutMs: 120_000 })
    await things.insertOne({ a: 2 })
    await eventually('the next one', async () => ((await reachable()) ?? sliced) > sliced, { timeoutMs: 120_000 })
    for (const path of [...storage.files.keys()]) if (path.startsWith('slices/')) storage.files.delete(path)
    const [old] = await volt.backup.list(storage)
    for (const path of [...storage.files.keys()]) if (path.startsWith(old?.id ?? '?')) storage.files.delete(path)
    const made = await eventually('another backup', async () => (await volt.backup.list(storage))[0], {
      timeoutMs: 120_000,
    })
    await eventually('slices from there', async () => (await volt.backup.reachable(storage)).spans[0], {
      timeoutMs: 120_000,
    })
    await volt.close()
    const again = await handleOn(name)
    await again.backup.create({ storage })
    await again.backup.verify({ storage })
    const slices = () => [...storage.files.keys()].filter((path) => path.endsWith('/slice.json')).length
    const before = slices()
    const dry = await again.backup.prune({ storage, keep: { days: 0, last: 1 }, dryRun: true })
    expect(dry).toMatchObject({ slices: { removed: expect.any(Number) } })
    expect(slices()).toBe(before)
    const pruned = await again.backup.prune({ storage, keep: { days: 0, last: 1 } })
    expect(pruned.decisions).toContainEqual(expect.objectContaining({ id: made.id, action: 'remove' }))
    expect(pruned.slices.removed).toBe(dry.slices.removed)
    expect(slices()).toBe(before - pruned.slices.removed)
    expect(pruned.slices.removed).toBeGreaterThan(0)
  }, 600_000)

  it('of a role that may not read the oplog are of a change stream, and none where there are time series', async () => {
    const secured = await startSecuredMongod()
    const name = 'school'
    const db = secured.owner.db(name)
    await db.collection('things').insertOne({ a: 1 })
    await db.createCollection('pressed', { capped: true, size: 10_000 })
    const maker = await secured.createUser('maker', [
      { role: 'readWrite', db: name },
      { role: 'dbAdmin', db: name },
    ])
    const restorer = await secured.createUser('restorer', [
      { role: 'restore', db: 'admin' },
      { role: 'readWriteAnyDatabase', db: 'admin' },
      { role: 'clusterMonitor', db: 'admin' },
    ])
    const storage = new MemoryStorage()
    const volt = await openVolt({ uri: maker, dbName: name })
    await volt.backup.create({ storage })
    const moments: Moment[] = []
    const steps: readonly (() => Promise<unknown>)[] = [
      async () => {
        await db
          .collection<Loose>('things')
          .insertOne({ _id: 1, list: [1, { two: [2] }, 3], deep: { er: 1, '0': 2 }, 'a.b': 1 })
        await db.collection<Loose>('things').updateOne(
          { _id: 1 },
          {
            $set: { 'list.1.two.2': 5, 'deep.0': 3, 'new.field': 1 },
            $unset: { 'deep.er': 1 },
          },
        )
        await db.collection<Loose>('things').updateOne({ _id: 1 }, [{ $set: { list: { $slice: ['$list', 2] } } }])
        await db
          .collection<Loose>('things')
          .updateOne({ _id: 1 }, [{ $replaceWith: { $setField: { field: 'a.b', input: '$$ROOT', value: 2 } } }])
        await db.collection<Loose>('things').replaceOne({ a: 1 }, { replaced: true })
      },
      async () => {
        await db.collection('things').createIndex({ a: 1 }, { name: 'by a', unique: true, sparse: true })
        await db.createCollection('view', { viewOn: 'things', pipeline: [] })
        await db.createCollection('ruled', { validator: { a: { $type: 'int' } }, collation: { locale: 'fr' } })
        await db.command({ collMod: 'ruled', validationLevel: 'moderate' })
      },
      () =>
        secured.owner.withSession((session) =>
          session.withTransaction(async () => {
            await db.collection<Loose>('things').insertOne({ _id: 2 }, { session })
            await db.collection<Loose>('things').updateOne({ _id: 2 }, { $set: { n: 1 } }, { session })
            await db.collection('made').insertOne({ a: 1 }, { session })
          }),
        ),
      async () => {
        await db.collection('made').rename('renamed')
        await db.collection('things').dropIndex('by a')
        await db.collection('ruled').drop()
      },
      async () => {
        await db.dropDatabase()
        await db.collection('things').insertOne({ begun: 'anew' })
      },
    ]
    for (const [at, step] of steps.entries()) {
      await step()
      const what = `step ${at}`
      moments.push({ what, instant: await endOfSecond(secured.owner.db('admin')), content: await contentOf(db) })
      const slice = await volt.backup.slice({ storage })
      expect(slice).toMatchObject({ source: 'changeStream', isContinued: at > 0, unreplayable: [] })
    }
    await sleep(1100)
    await db.collection('things').insertOne({ later: true })
    await volt.backup.slice({ storage })
    const restoring = await openVolt({ uri: restorer, dbName: name })
    for (const { what, instant, content } of moments) {
      const into = `restored_${what.replace(' ', '_')}`
      await restoring.backup.restore({ storage, to: instant, target: { into } })
      expect(await contentOf(secured.owner.db(into)), what).toEqual(content)
    }
    await db.createCollection('series', { timeseries: { timeField: 'at' } })
    await expect(volt.backup.slice({ storage })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/series.*grant the role "backup"/),
    })
    // With the role that may read the oplog slices go on from a backup.
    const better = await secured.createUser('better', [
      { role: 'backup', db: 'admin' },
      { role: 'readWrite', db: name },
    ])
    const other = await openVolt({ uri: better, dbName: name })
    await expect(other.backup.slice({ storage })).rejects.toMatchObject({ code: 'HISTORY_LOST' })
    await other.backup.create({ storage })
    await db.collection('things').insertOne({ a: 2 })
    expect(await other.backup.slice({ storage })).toMatchObject({ source: 'oplog', isContinued: false })
  })
})
