import { describe, expect, it } from 'vitest'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { effects, migrating } from './support/migrating.js'

describe('a step that builds indexes', () => {
  it('is planned, builds what is missing, and may be repeated', async () => {
    const database = testDatabase()
    await database.db.collection('cases').createIndex({ status: 1 })
    const indexes = [{ key: { priority: 1 } }, { key: { status: 1 } }, { key: { code: 1 }, unique: true, name: 'code' }]
    const volt = await migrating(database, [{ id: 1, up: [{ collection: 'cases', indexes }] }])
    const planned = (await volt.migrations.plan()).at(-1)
    expect(planned).toEqual({
      id: '1',
      isReversible: false,
      changes: [{ collection: 'cases', indexes: ['priority_1', 'code'] }],
      unplannedFunctions: 0,
    })
    await volt.migrations.migrate()
    const built = await database.db.collection('cases').indexes()
    expect(built.map(({ name }) => name)).toEqual(['_id_', 'status_1', 'priority_1', 'code'])
  })

  it('that cannot be built fails with the reason, and is tried again', async () => {
    const database = testDatabase()
    const cases = database.db.collection('cases')
    await cases.insertMany([{ code: 1 }, { code: 1 }])
    const up = { collection: 'cases', indexes: [{ key: { code: 1 }, unique: true }] }
    const volt = await migrating(database, [{ id: 1, up }])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      cause: { code: 'CONFLICT' },
      message: expect.stringContaining('nothing of the step was stored'),
    })
    await cases.deleteOne({ code: 1 })
    await volt.migrations.migrate()
    expect(await cases.indexes()).toHaveLength(2)
  })
})

describe('the context of a function', () => {
  it('writes in the transaction of its step, whether that is told the session or not', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [
      {
        id: 1,
        transaction: true,
        up: async ({ db, session, transaction }) => {
          const collection = db.collection('effects')
          expect(session?.inTransaction()).toBe(true)
          await collection.insertOne({ by: 'one' })
          await collection.insertOne({ by: 'two' }, session === undefined ? {} : { session })
          await transaction(() => collection.insertMany([{ by: 'three' }, { by: 'four' }]))
          await collection.bulkWrite([{ updateOne: { filter: { by: 'four' }, update: { $set: { by: '4' } } } }])
          await collection.updateMany({ by: 'three' }, { $set: { by: '3' } })
          await collection.findOneAndDelete({ by: 'two' })
          expect(await collection.countDocuments()).toBe(3)
          expect((await collection.find().sort({ _id: 1 }).toArray()).map(({ by }) => by)).toEqual(['one', '3', '4'])
          expect(await collection.aggregate([{ $count: 'n' }]).toArray()).toEqual([{ n: 3 }])
          expect(await effects(database)).toEqual([])
          throw new Error('all of it is undone')
        },
      },
    ])
    await expect(volt.migrations.migrate()).rejects.toThrow('all of it is undone')
    expect(await effects(database)).toEqual([])
  })

  it('has models, structure, and time-series collections', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [
      {
        id: 1,
        up: async ({ db, models, session, logger, signal, id }) => {
          expect([id, session, signal.aborted, typeof logger.info]).toEqual(['1', undefined, false, 'function'])
          expect(Object.keys(models)).toContain('devices')
          await models.classrooms?.create({ name: 'Room 1' })
          await db.createCollection('series', { timeseries: { timeField: 'at' } })
          await db.collection('series').insertOne({ at: new Date() })
          await db.collection('effects').createIndex({ by: 1 })
          await db.renameCollection('effects', 'renamed')
        },
      },
    ])
    await volt.migrations.migrate()
    expect(await volt.classrooms.count()).toBe(1)
    expect(await database.db.collection('series').countDocuments()).toBe(1)
    expect(await database.db.collection('renamed').indexes()).toHaveLength(2)
  })

  it('throws the errors of the library', async () => {
    const volt = await migrating(testDatabase(), [
      {
        id: 1,
        up: async ({ db }) => {
          const collection = db.collection<{ _id: number }>('effects')
          await collection.insertOne({ _id: 1 })
          await collection.insertOne({ _id: 1 })
        },
      },
    ])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({ cause: { code: 'CONFLICT', fields: ['_id'] } })
  })

  it('writes nothing once the lock is lost', async () => {
    const database = testDatabase()
    const seen: unknown[] = []
    const volt = await migrating(
      database,
      [
        {
          id: 1,
          up: async ({ db, transaction, signal }) => {
            await db.collection('effects').insertOne({ by: 'before' })
            await database.db
              .collection('leases')
              .updateOne({ name: 'migrations' }, { $set: { owner: 'x', fence: 99 } })
            const tries = [
              () => db.collection('effects').insertOne({ by: 'after' }),
              () => transaction(() => db.collection('effects').insertOne({ by: 'after' })),
              () => db.collection('effects').createIndex({ by: 1 }),
              () => db.createCollection('another'),
            ]
            for (const attempt of tries) seen.push(await attempt().catch((error: { code: string }) => error.code))
            await eventually('the function is told', async () => signal.aborted)
            expect(signal.reason).toMatchObject({ code: 'LEASE_LOST' })
          },
        },
      ],
      { lockDurationMs: 1_000 },
    )
    await expect(volt.migrations.migrate()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(seen).toEqual(['LEASE_LOST', 'LEASE_LOST', 'LEASE_LOST', 'LEASE_LOST'])
    expect(await effects(database)).toEqual(['before'])
  })

  it('cannot write while it is only planned', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [
      {
        id: 1,
        up: async () => undefined,
        plan: async ({ db }) => {
          await expect(db.collection('effects').insertOne({ by: 'plan' })).rejects.toThrow('A plan changes nothing')
          return [{ collection: 'effects', documents: await db.collection('effects').countDocuments(), note: 'all' }]
        },
      },
      { id: 2, up: async () => undefined },
    ])
    const planned = (await volt.migrations.plan()).slice(-2)
    expect(planned).toMatchObject([
      { id: '1', changes: [{ collection: 'effects', documents: 0, note: 'all' }], unplannedFunctions: 0 },
      { id: '2', changes: [], unplannedFunctions: 1 },
    ])
    expect(await database.db.collection('effects').countDocuments()).toBe(0)
  })
})
