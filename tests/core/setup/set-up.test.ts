import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AutoVolt } from '../../../src/autovolt.js'
import { defineAppendOnlyEntity, defineEntity } from '../../../src/core/entity.js'
import type { IndexDefinition } from '../../../src/core/index-definition.js'
import { chosenEntities } from '../../../src/domains.js'
import { aClassroom } from '../../support/builders.js'
import { type TestDatabase, testDatabase } from '../../support/database.js'
import { startMongodProcess } from '../../support/mongod-process.js'
import { openVolt } from '../../support/volt.js'

/** Everything that a collection is made of, as the server tells it. */
async function structureOf({ db }: TestDatabase): Promise<Record<string, unknown>> {
  const collections = await db.listCollections().toArray()
  const entries = collections.map(async ({ name, ...rest }) => {
    const options = 'options' in rest ? rest.options : undefined
    const isData = !name.startsWith('system.')
    return [name, { options, indexes: isData ? await db.collection(name).listIndexes().toArray() : [] }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

const noteEntity = (indexes: readonly IndexDefinition[] = [], limit = 100) =>
  defineEntity({
    name: 'note',
    collection: 'notes',
    fields: {
      title: z.string().max(limit),
      body: z.string().optional(),
      at: z.date().optional(),
      place: z.any().meta({ bsonType: 'object' }).optional(),
    },
    indexes,
  })

describe('setup()', () => {
  it('creates collections with validators and every declared index, and finds nothing to do the second time', async () => {
    const own = testDatabase()
    const volt = await openVolt(own)
    const first = await volt.setup()
    expect(first).toMatchObject({ dryRun: false, isComplete: false })
    expect(first.collections.every(({ state }) => state === 'missing')).toBe(true)
    const structure = await structureOf(own)
    expect(await volt.setup()).toMatchObject({ isComplete: true })
    expect(await structureOf(own)).toEqual(structure)
    const room = structure.classrooms as { options: { validator: object }; indexes: { name: string }[] }
    expect(room.options.validator).toEqual(volt.entityOf('classrooms').validator)
    expect(room.indexes.map(({ name }) => name)).toEqual([
      '_id_',
      'name_1',
      'building_1_name_1__id_1',
      'deletedAt_1__id_1',
    ])
  })

  it('only reports in a dry run what is missing, different and extra', async () => {
    const own = testDatabase()
    const volt = await openVolt(own)
    const ofClassrooms = async () =>
      (await volt.setup({ dryRun: true })).collections.find(({ collection }) => collection === 'classrooms')
    expect(await ofClassrooms()).toMatchObject({ state: 'missing', validator: 'missing' })
    expect(await structureOf(own)).toEqual({})

    await volt.setup()
    const rooms = own.db.collection('classrooms')
    await rooms.dropIndex('name_1')
    await rooms.createIndex({ name: 1 })
    await rooms.dropIndex('building_1_name_1__id_1')
    await rooms.createIndex({ capacity: -1 })
    await own.db.command({ collMod: 'classrooms', validator: { $jsonSchema: { required: ['name'] } } })
    const before = await structureOf(own)
    expect(await ofClassrooms()).toEqual({
      collection: 'classrooms',
      state: 'different',
      validator: 'different',
      timeSeries: 'none',
      indexes: {
        missing: ['building_1_name_1__id_1'],
        different: ['name_1'],
        superseded: [],
        extra: ['capacity_-1'],
      },
    })
    expect(await structureOf(own)).toEqual(before)

    await volt.setup()
    expect(await ofClassrooms()).toMatchObject({
      state: 'same',
      indexes: { missing: [], different: [], superseded: [], extra: ['capacity_-1'] },
    })
  })

  it('sets a validator right that was weakened', async () => {
    const own = testDatabase()
    const volt = await openVolt(own)
    await volt.setup()
    await own.db.command({ collMod: 'classrooms', validationLevel: 'moderate' })
    await volt.setup()
    await own.db.command({ collMod: 'classrooms', validationAction: 'warn' })
    expect(await volt.setup()).toMatchObject({ isComplete: false })
    await expect(own.db.collection('classrooms').insertOne({ name: 5 })).rejects.toMatchObject({ code: 121 })
  })

  it('brings about a changed schema and changed options of indexes', async () => {
    const own = testDatabase()
    const partial = { at: { $exists: true } }
    const before = noteEntity([
      { key: { title: 1 }, serves: 'a' },
      { key: { at: 1 }, expireAfterSeconds: 60, serves: 'b' },
      { key: { body: 1, at: 1 }, serves: 'c' },
    ])
    const after = noteEntity(
      [
        { key: { title: 1 }, unique: true, serves: 'a' },
        { key: { at: 1 }, expireAfterSeconds: 3600, serves: 'b' },
        { key: { body: 1, at: 1 }, partialFilterExpression: partial, serves: 'c' },
        { key: { body: 'text', title: 'text' }, serves: 'd' },
        { key: { place: '2dsphere' }, serves: 'e' },
      ],
      200,
    )
    const old = await openVolt(own, { hostEntities: [before] })
    await old.setup()
    await old.repository(before).create({ title: 'kept' })
    const volt = await openVolt(own, { hostEntities: [after] })
    const report = (await volt.setup()).collections.at(-1)
    expect(report).toMatchObject({
      state: 'different',
      validator: 'different',
      indexes: {
        missing: ['body_text_title_text', 'place_2dsphere'],
        different: ['title_1', 'at_1', 'body_1_at_1'],
        extra: [],
      },
    })
    expect(await volt.setup()).toMatchObject({ isComplete: true })
    const indexes = await own.db.collection('notes').listIndexes().toArray()
    expect(indexes.filter(({ key }) => 'title' in key)).toMatchObject([{ unique: true }])
    expect(indexes.find(({ name }) => name === 'at_1')).toMatchObject({ expireAfterSeconds: 3600 })
    expect(indexes.filter(({ key }) => 'body' in key)).toMatchObject([{ partialFilterExpression: partial }])
    await volt.repository(after).create({ title: 'x'.repeat(150) })
    expect(await volt.repository(after).count()).toBe(2)
  })

  it('takes an index that the host has under another name', async () => {
    const own = testDatabase()
    const entity = noteEntity([{ key: { title: 1 }, unique: true, serves: 'a' }])
    await own.db.collection('notes').createIndex({ title: 1 }, { unique: true, name: 'by_title' })
    const volt = await openVolt(own, { hostEntities: [entity] })
    expect((await volt.setup()).collections.at(-1)?.indexes).toMatchObject({ missing: [], different: [], extra: [] })
    expect(await volt.setup()).toMatchObject({ isComplete: true })
  })

  it('creates time-series collections with their options, and changes those that can be changed', async () => {
    const own = testDatabase()
    const samples = (granularity: 'seconds' | 'minutes', expireAfterSeconds?: number, metaField = 'device') =>
      defineAppendOnlyEntity({
        name: 'sample',
        collection: 'samples',
        fields: { at: z.date(), device: z.string(), watts: z.number() },
        timeSeries: { timeField: 'at', metaField, granularity, ...(expireAfterSeconds ? { expireAfterSeconds } : {}) },
        indexes: [{ key: { device: 1, at: 1 }, serves: 'a device by time' }],
      })
    const first = await openVolt(own, { hostEntities: [samples('seconds', 3600)] })
    expect((await first.setup()).collections.at(-1)).toMatchObject({
      state: 'missing',
      timeSeries: 'missing',
      validator: 'none',
    })
    expect(await first.setup()).toMatchObject({ isComplete: true })
    const options = async () => (await structureOf(own)).samples
    expect(await options()).toMatchObject({
      options: {
        timeseries: { timeField: 'at', metaField: 'device', granularity: 'seconds' },
        expireAfterSeconds: 3600,
      },
      indexes: [{ key: { device: 1, at: 1 } }],
    })
    const second = await openVolt(own, { hostEntities: [samples('minutes')] })
    expect((await second.setup()).collections.at(-1)).toMatchObject({ state: 'different', timeSeries: 'different' })
    expect(await second.setup()).toMatchObject({ isComplete: true })
    expect(await options()).not.toHaveProperty('options.expireAfterSeconds')
    const third = await openVolt(own, { hostEntities: [samples('minutes', undefined, 'watts')] })
    await expect(third.setup()).rejects.toMatchObject({
      code: 'SETUP_BLOCKED',
      message: expect.stringContaining('samples is a time series by at with device, and at with watts is declared'),
    })
  })

  it('waits for as long as an index is being built: past the socket time-out, and for the build of another', async () => {
    const mongod = await startMongodProcess({ args: ['--setParameter', 'enableTestCommands=1'] })
    const socketTimeoutMs = 3000
    const options = { uri: mongod.uri, dbName: 'school', socketTimeoutMs }
    const entity = noteEntity([{ key: { title: 1, body: 1 }, serves: 'a' }])
    await using volt = await AutoVolt.open({ ...options, hostEntities: [entity] })
    await using other = await AutoVolt.open({ ...options, hostEntities: [entity] })
    const aNote = {
      title: 'an index of nothing is built at once',
      createdAt: new Date(),
      updatedAt: new Date(),
      __v: 0,
    }
    await volt.database.native.collection('notes').insertOne(aNote)
    const admin = volt.database.client.db('admin')
    const hang = (mode: string) => admin.command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode })
    await hang('alwaysOn')
    // Without the exemption it is cut off.
    await using client = new MongoClient(mongod.uri, { socketTimeoutMS: socketTimeoutMs })
    await expect(client.db('school').collection('notes').createIndex({ title: -1 })).rejects.toMatchObject({
      name: 'MongoNetworkTimeoutError',
    })
    const setUps = Promise.all([volt.setup(), other.setup()])
    const early = await Promise.race([setUps, sleep(2 * socketTimeoutMs, 'still at it')])
    expect(early).toBe('still at it')
    await hang('off')
    await setUps
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('changes no document', async () => {
    const own = testDatabase()
    const volt = await openVolt(own)
    await volt.setup()
    const room = await volt.classrooms.create(aClassroom())
    await volt.setup()
    expect(await volt.classrooms.get(room._id)).toEqual(room)
  })
})

describe('the entities of the library', () => {
  it('have unique indexes that start with the shard key, where they have one', () => {
    for (const { collection, shardKey, indexes } of Object.values(chosenEntities({}))) {
      const wanted = Object.keys(shardKey ?? {})
      for (const { key } of indexes.filter(({ unique }) => unique)) {
        expect([collection, ...Object.keys(key).slice(0, wanted.length)]).toEqual([collection, ...wanted])
      }
    }
  })
})
