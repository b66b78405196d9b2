import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Document, MongoClient, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AutoVolt } from '../../../src/autovolt.js'
import { defineEntity, type Entity } from '../../../src/core/entity.js'
import { SetupBlockedError, type SetupObstacle } from '../../../src/core/setup/obstacle.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { type TestDatabase, testDatabase } from '../../support/database.js'
import { startMongodProcess } from '../../support/mongod-process.js'
import { openVolt } from '../../support/volt.js'

const noteEntity = defineEntity({
  name: 'note',
  collection: 'notes',
  fields: {
    title: z.string().max(20),
    at: z.date().optional(),
    tags: z.array(z.string()).optional(),
  },
  rules: [
    {
      path: 'tags',
      message: 'a note has two tags at the most',
      check: ({ tags }) => tags === undefined || (tags as unknown[]).length <= 2,
      expression: { $or: [{ $eq: [{ $type: '$tags' }, 'missing'] }, { $lte: [{ $size: '$tags' }, 2] }] },
    },
  ],
  indexes: [
    { key: { title: 1 }, unique: true, serves: 'a note by its title' },
    { key: { tags: 1, at: 1 }, unique: true, partialFilterExpression: { at: { $exists: true } }, serves: 'tags' },
  ],
  softDelete: true,
})

const aNote = (fields: Document): Document => ({
  _id: new ObjectId(),
  title: new ObjectId().toHexString().slice(-20),
  createdAt: new Date(),
  updatedAt: new Date(),
  __v: 0,
  deletedAt: null,
  ...fields,
})

/** Everything that the database is made of. */
async function stateOf({ db }: TestDatabase): Promise<unknown> {
  const collections = await db.listCollections().toArray()
  const parts = collections.map(async (collection) => {
    const isData = collection.type !== 'view' && !collection.name.startsWith('system.')
    const indexes = isData ? await db.collection(collection.name).listIndexes().toArray() : []
    return [collection.name, collection, indexes, await db.collection(collection.name).find().toArray()]
  })
  return (await Promise.all(parts)).sort()
}

/** What is in the way: as the dry run shows it, as setup() throws it, and that neither has changed anything. */
async function obstaclesIn(own: TestDatabase, entities: readonly Entity[] = [noteEntity]): Promise<SetupObstacle[]> {
  const volt = await openVolt(own, { hostEntities: entities })
  const before = await stateOf(own)
  const report = await volt.setup({ dryRun: true })
  const error: unknown = await volt.setup().catch((thrown: unknown) => thrown)
  expect(await stateOf(own)).toEqual(before)
  expect(error).toBeInstanceOf(SetupBlockedError)
  const { code, retryable, obstacles, message } = error as SetupBlockedError
  expect({ code, retryable, obstacles }).toEqual({
    code: 'SETUP_BLOCKED',
    retryable: false,
    obstacles: report.obstacles,
  })
  expect(report.isComplete).toBe(false)
  for (const { problem, advice } of obstacles) {
    expect(message).toContain(problem)
    expect(message).toContain(advice)
    expect(advice).toMatch(/collections|role/)
  }
  return [...report.obstacles]
}

describe('setup() changes nothing, and names what is in the way:', () => {
  it.each<[string, (own: TestDatabase) => Promise<unknown>, string]>([
    ['a view', ({ db }) => db.createCollection('notes', { viewOn: 'others', pipeline: [] }), 'is a view'],
    [
      'a capped collection',
      ({ db }) => db.createCollection('notes', { capped: true, size: 4096 }),
      'is capped, and would lose its oldest documents',
    ],
    [
      'a time series',
      ({ db }) => db.createCollection('notes', { timeseries: { timeField: 'at' } }),
      'is a time series, and none is declared',
    ],
    [
      'a collation',
      ({ db }) => db.createCollection('notes', { collation: { locale: 'de' } }),
      'compares texts by the collation "de", which the declared indexes do not serve',
    ],
    [
      'documents that expire',
      ({ db }) =>
        db.createCollection('notes', { clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 60 }),
      'lets its documents expire after 60 s',
    ],
  ])('%s', async (_, prepare, problem) => {
    const own = testDatabase()
    await prepare(own)
    expect(await obstaclesIn(own)).toMatchObject([{ collection: 'notes', kind: 'collection', problem }])
  })

  it.each<[string, (own: TestDatabase) => Promise<unknown>, string]>([
    [
      'a plain collection',
      ({ db }) => db.createCollection('telemetry_events'),
      'is no time series, and one is declared',
    ],
    [
      'other fields',
      ({ db }) => db.createCollection('telemetry_events', { timeseries: { timeField: 'at', metaField: 'device' } }),
      'is a time series by at with device, and timestamp with meta is declared',
    ],
    [
      'a coarser granularity',
      ({ db }) =>
        db.createCollection('telemetry_events', {
          timeseries: { timeField: 'timestamp', metaField: 'meta', granularity: 'hours' },
        }),
      'has the granularity hours, which cannot become seconds',
    ],
  ])('%s where a time series is wanted', async (_, prepare, problem) => {
    const own = testDatabase()
    await prepare(own)
    expect(await obstaclesIn(own)).toMatchObject([{ collection: 'telemetry_events', kind: 'collection', problem }])
  })

  it('unique indexes on what documents of the entity never have, unless they hold only documents with it', async () => {
    const own = testDatabase()
    const notes = own.db.collection('notes')
    await notes.createIndex({ number: 1 }, { unique: true })
    await notes.createIndex({ tenant: 1, title: 1 }, { unique: true, sparse: true })
    await notes.createIndex({ place: 1 }, { unique: true, partialFilterExpression: { place: null } })
    await notes.createIndex({ serial: 1 }, { unique: true, sparse: true })
    await notes.createIndex({ code: 1 }, { unique: true, partialFilterExpression: { code: { $exists: true } } })
    await notes.createIndex({ kind: 1 }, { unique: true, partialFilterExpression: { kind: { $type: 'string' } } })
    await notes.createIndex({ at: 1, title: 1 }, { unique: true })
    await notes.createIndex({ other: 1 })
    const found = await obstaclesIn(own)
    expect(found.map(({ kind, problem }) => [kind, problem])).toEqual(
      ['number', 'tenant', 'place'].map((field) => [
        'index',
        `has an index "${field}_1${field === 'tenant' ? '_title_1' : ''}" that is unique over ${field}, which is not a field of a note: a second one without it would be refused`,
      ]),
    )
    expect(found[0]?.advice).toMatch(/^Drop it, db\.getCollection\("notes"\)\.dropIndex\("number_1"\), or /)
  })

  it('an index with the name of a declared one, and a second text index', async () => {
    const own = testDatabase()
    const searched = noteEntity.extend({
      fields: { body: z.string().optional() },
      indexes: [{ key: { body: 'text' }, serves: 'notes by their words' }],
    })
    await own.db.collection('notes').createIndex({ at: -1 }, { name: 'title_1' })
    await own.db.collection('notes').createIndex({ title: 'text' })
    const problems = (await obstaclesIn(own, [searched as unknown as Entity])).map(({ problem }) => problem)
    expect(problems).toEqual([
      'has an index "title_1" that has the name of a declared index',
      'has an index "title_text" that is a text index, and another one is declared: a collection has one',
    ])
  })

  it('more indexes than a collection can have', async () => {
    const own = testDatabase()
    const many = Array.from({ length: 62 }, (_, at) => ({ key: { [`field${at}`]: 1 as const } }))
    await own.db.collection('notes').createIndexes(many)
    expect(await obstaclesIn(own)).toMatchObject([{ problem: 'would have 66 indexes, and the server takes 64' }])
  })

  it('documents that do not fit, with their ids and what is wrong, and never a value', async () => {
    const own = testDatabase()
    const odd = aNote({ title: 'a secret text that is too long', password: 'secret-hash' })
    await own.db
      .collection<Document>('notes')
      .insertMany([odd, aNote({}), { _id: 'text-id', title: 7 }, aNote({ at: 'x' })])
    const [obstacle, ...others] = await obstaclesIn(own)
    expect(others).toEqual([])
    expect(obstacle).toMatchObject({ collection: 'notes', kind: 'documents' })
    expect(obstacle?.problem).toMatch(/^has documents that do not fit the declared form \(3\), such as /)
    expect(obstacle?.problem).toContain(String(odd._id))
    expect(obstacle?.problem).toContain('password: is not a field')
    expect(obstacle?.problem).toContain('text-id')
    expect(obstacle?.problem).not.toContain('secret')
  })

  it('documents that break a rule, which is asked only of those of the right form', async () => {
    const own = testDatabase()
    await own.db.collection('notes').insertMany([aNote({ tags: ['a', 'b', 'c'] }), aNote({ tags: ['a'] })])
    expect(await obstaclesIn(own)).toMatchObject([
      { problem: expect.stringMatching(/^has documents .*\(1\).*tags: a note has two tags at the most/) },
    ])
    await own.db.collection('notes').insertOne(aNote({ tags: 'no list' }))
    expect(await obstaclesIn(own)).toMatchObject([{ problem: expect.stringMatching(/^has documents .*\(1\).*tags: /) }])
  })

  it('no more than a thousand of them, and a few ids', async () => {
    const own = testDatabase()
    await own.db.collection('notes').insertMany(Array.from({ length: 1200 }, () => ({ odd: true })))
    const [obstacle, duplicates] = await obstaclesIn(own)
    expect(obstacle?.problem).toMatch(/^has documents .* \(more than 1000\)/)
    expect(duplicates?.problem).toMatch(/^has documents that agree in title/)
    expect(JSON.stringify(obstacle).length).toBeLessThan(2_000)
  })

  it('documents that agree in what has to be unique: among the living, of lists each item', async () => {
    const own = testDatabase()
    const at = new Date(0)
    const [one, other, third] = [
      aNote({ title: 'same' }),
      aNote({ title: 'same', tags: ['a', 'a'], at }),
      aNote({ tags: ['b', 'a'], at }),
    ] as const
    await own.db
      .collection('notes')
      .insertMany([
        one,
        other,
        third,
        aNote({ tags: ['a'] }),
        aNote({ title: 'gone', deletedAt: at }),
        aNote({ title: 'gone', deletedAt: at }),
        aNote({ title: 'gone' }),
      ])
    const found = await obstaclesIn(own)
    expect(found.map(({ kind, problem }) => [kind, problem.replace(/ \([0-9a-f]{24}.*\)/, '')])).toEqual([
      ['duplicates', 'has documents that agree in title, which has to be unique (groups: 1), such as'],
      ['duplicates', 'has documents that agree in tags, at, which has to be unique (groups: 1), such as'],
    ])
    for (const { _id } of [one, other]) expect(found[0]?.problem).toContain(String(_id))
    for (const { _id } of [other, third]) expect(found[1]?.problem).toContain(String(_id))
    await own.db.collection('notes').deleteMany({ _id: other._id })
    await openVolt(own, { hostEntities: [noteEntity] }).then((volt) => volt.setup())
  })

  it('as the server sees them: absent is null, and numbers are equal across types', async () => {
    const own = testDatabase()
    const counted = defineEntity({
      name: 'count',
      collection: 'counts',
      fields: { number: z.number().nullish() },
      indexes: [{ key: { number: 1 }, unique: true, serves: 'a count' }],
    })
    const { title, deletedAt, ...plain } = aNote({})
    const documents = [{}, { number: null }, { number: 5 }, { number: 5.5 }]
    await own.db
      .collection('counts')
      .insertMany(documents.map((fields) => ({ ...plain, _id: new ObjectId(), ...fields })))
    const [obstacle] = await obstaclesIn(own, [counted])
    expect(obstacle?.problem).toMatch(/^has documents that agree in number/)
  })

  it('all at once, of every collection', async () => {
    const own = testDatabase()
    await own.db.createCollection('energy_measurements')
    await own.db.createCollection('leases', { viewOn: 'users', pipeline: [] })
    await own.db.collection('devices').createIndex({ ipAddress: 1 }, { unique: true })
    await own.db.collection<Document>('users').insertMany([{ email: 'a@example.org' }, { email: 'a@example.org' }])
    const found = await obstaclesIn(own)
    expect(found.map(({ collection, kind }) => `${collection} ${kind}`).sort()).toEqual([
      'devices index',
      'energy_measurements collection',
      'leases collection',
      'users documents',
      'users duplicates',
    ])
  })
})

describe('setup() goes on', () => {
  it('where documents from before may stay, as `moderate` says', async () => {
    const own = testDatabase()
    await own.db.collection('power_consumption').insertOne({ anything: 1 })
    const volt = await openVolt(own)
    await volt.setup()
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true, obstacles: [] })
  })

  it('once what was in the way is gone', async () => {
    const own = testDatabase()
    await own.db.collection('devices').createIndex({ ipAddress: 1 }, { unique: true })
    await obstaclesIn(own)
    await own.db.collection('devices').dropIndex('ipAddress_1')
    const volt = await openVolt(own)
    await volt.setup()
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })
})

describe('a role that does not allow what has to be done', () => {
  it('is in the way, and is named before anything is changed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autovolt-key-'))
    cleanUpLater(() => rm(folder, { recursive: true }))
    const keyFile = join(folder, 'key')
    await writeFile(keyFile, randomBytes(96).toString('base64'), { mode: 0o600 })
    const { uri, port } = await startMongodProcess({ args: ['--auth', '--keyFile', keyFile] })
    const first = new MongoClient(uri)
    await first.db('admin').command({ createUser: 'owner', pwd: 'a-password', roles: ['root'] })
    await first.close()
    const uriOf = (user: string) =>
      `mongodb://${user}:a-password@127.0.0.1:${port}/?replicaSet=autovolt&authSource=admin`
    const owner = new MongoClient(uriOf('owner'))
    cleanUpLater(() => owner.close())
    for (const [user, role] of [
      ['writer', 'readWrite'],
      ['reader', 'read'],
    ]) {
      await owner.db('admin').command({ createUser: user, pwd: 'a-password', roles: [{ role, db: 'school' }] })
    }
    await using reader = await AutoVolt.open({ uri: uriOf('reader'), dbName: 'school' })
    const { obstacles } = await reader.setup({ dryRun: true })
    expect(obstacles.length).toBeGreaterThan(20)
    expect(obstacles[0]).toMatchObject({
      kind: 'privilege',
      problem: 'needs createCollection, createIndex, which the role does not allow',
    })
    await expect(reader.setup()).rejects.toMatchObject({ code: 'SETUP_BLOCKED' })

    await using writer = await AutoVolt.open({ uri: uriOf('writer'), dbName: 'school' })
    await writer.setup()
    expect(await writer.setup({ dryRun: true })).toMatchObject({ isComplete: true })
    await owner.db('school').command({ collMod: 'users', validationLevel: 'moderate' })
    await owner.db('school').collection('classrooms').dropIndex('name_1')
    const error: unknown = await writer.setup().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'SETUP_BLOCKED',
      obstacles: [{ collection: 'users', problem: 'needs collMod, which the role does not allow' }],
    })
    const { collections } = await writer.setup({ dryRun: true })
    const classrooms = collections.find(({ collection }) => collection === 'classrooms')
    expect(classrooms).toMatchObject({ indexes: { missing: ['name_1'] } })
    await using all = await AutoVolt.open({ uri: uriOf('owner'), dbName: 'school' })
    await all.setup()
    expect(await writer.setup()).toMatchObject({ isComplete: true })
  })
})
