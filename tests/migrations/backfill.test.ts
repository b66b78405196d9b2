import { Binary, Decimal128, Long, ObjectId, UUID } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { Backfill, RunEvent } from '../../src/migrations/index.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { migrating } from './support/migrating.js'

async function withThings(count: number): Promise<TestDatabase> {
  const database = testDatabase()
  const things = Array.from({ length: count }, (_, n) => ({ n, runs: 0 }))
  await database.db.collection('things').insertMany(things)
  return database
}

const once: Backfill = { collection: 'things', update: { $inc: { runs: 1 } }, batchSize: 10 }

/** How often the documents were changed. */
async function runsOf({ db }: TestDatabase, filter = {}): Promise<number[]> {
  const runs = await db.collection('things').distinct('runs', filter)
  return runs.toSorted()
}

describe('a backfill', () => {
  it('changes each document once by an update, in batches, and says how far it is', async () => {
    const database = await withThings(95)
    const volt = await migrating(database, [{ id: 1, up: once }])
    const events: RunEvent[] = []
    await volt.migrations.migrate({ onEvent: (event) => events.push(event) })
    expect(await runsOf(database)).toEqual([1])
    const progress = events.flatMap((event) => (event.type === 'progress' ? [event] : []))
    expect(progress.map(({ done }) => done)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95])
    expect(progress.at(-1)).toMatchObject({ migration: '1', step: 1, steps: 1, total: 95, remainingMs: 0 })
    expect(progress.at(-1)?.perSecond).toBeGreaterThan(0)
  })

  it('changes what its filter selects, also by a pipeline', async () => {
    const database = await withThings(50)
    const update = [{ $set: { runs: { $add: ['$n', 100] } } }]
    const up: Backfill = { collection: 'things', filter: { n: { $gte: 40 } }, update, batchSize: 3 }
    const volt = await migrating(database, [{ id: 1, up }])
    await volt.migrations.migrate()
    expect(await runsOf(database, { n: { $gte: 40 } })).toEqual(Array.from({ length: 10 }, (_, at) => 140 + at))
    expect(await runsOf(database, { n: { $lt: 40 } })).toEqual([0])
  })

  it('changes documents by a function, which sees them as they are in the transaction', async () => {
    const database = await withThings(25)
    const up: Backfill = {
      collection: 'things',
      batchSize: 10,
      batch: async (documents, { db }) => {
        await db.collection('copies').insertMany(documents.map(({ n }) => ({ n })))
        return documents.map(({ _id, n }) => ({
          updateOne: { filter: { _id }, update: { $set: { label: `thing ${n}` } } },
        }))
      },
    }
    const volt = await migrating(database, [{ id: 1, up }])
    await volt.migrations.migrate()
    const things = await database.db.collection('things').find().sort({ n: 1 }).toArray()
    expect(things.map(({ label }) => label)).toEqual(Array.from({ length: 25 }, (_, n) => `thing ${n}`))
    expect(await database.db.collection('copies').countDocuments()).toBe(25)
  })

  it('may write nothing to its own collection', async () => {
    const database = await withThings(3)
    const batch = async () => undefined
    const volt = await migrating(database, [{ id: 1, up: { collection: 'things', batch } }])
    await volt.migrations.migrate()
    expect(await runsOf(database)).toEqual([0])
  })

  it('takes ids of all types, one after the other', async () => {
    const database = testDatabase()
    const ids = [
      null,
      7,
      Long.fromNumber(9),
      Decimal128.fromString('8.5'),
      ...Array.from({ length: 8 }, (_, at) => `text ${at}`),
      { nested: 1 },
      new Binary(Buffer.from('bytes')),
      new UUID(),
      ...Array.from({ length: 8 }, () => new ObjectId()),
      true,
      new Date(),
    ]
    await database.db.collection<{ _id: unknown }>('things').insertMany(ids.map((_id) => ({ _id, runs: 0 })) as never)
    for (const [id, batchSize] of [4, 1, 100].entries()) {
      const byFunction: Backfill = {
        collection: 'things',
        batchSize,
        batch: async (documents) =>
          documents.map(({ _id }) => ({ updateOne: { filter: { _id }, update: { $inc: { runs: 1 } } } })),
      }
      const volt = await migrating(
        database,
        [
          { id: 10 * id, up: { ...once, batchSize } },
          { id: 10 * id + 1, up: byFunction },
        ],
        { late: 'run' },
      )
      for (const { id: known } of (await volt.migrations.status()).migrations) {
        if (!known.startsWith('autovolt-') && Number(known) < 10 * id)
          await volt.migrations.repair(known, 'not-applied')
      }
      await volt.migrations.migrate()
      expect(await runsOf(database)).toEqual([2 * (id + 1)])
    }
  })

  it('goes on exactly where it was stopped', async () => {
    const database = await withThings(100)
    const volt = await migrating(database, [{ id: 1, up: once }])
    const stop = new AbortController()
    const onEvent = (event: RunEvent) => {
      if (event.type === 'progress' && event.done === 40) stop.abort()
    }
    await expect(volt.migrations.migrate({ signal: stop.signal, onEvent })).rejects.toMatchObject({
      code: 'MIGRATION_STOPPED',
      message: expect.stringContaining('run it again to go on from there'),
    })
    expect((await volt.migrations.status()).migrations.at(-1)).toMatchObject({
      state: 'interrupted',
      progress: { step: 1, steps: 1, done: 40, total: 100 },
    })
    expect(await volt.migrations.validate()).toEqual([])
    const done: number[] = []
    await volt.migrations.migrate({ onEvent: (event) => event.type === 'progress' && done.push(event.done) })
    expect(done).toEqual([40, 50, 60, 70, 80, 90, 100])
    expect(await runsOf(database)).toEqual([1])
  })

  it('is not changed once it has begun', async () => {
    const database = await withThings(100)
    const volt = await migrating(database, [{ id: 1, up: once }])
    const stop = new AbortController()
    const onEvent = (event: RunEvent) => event.type === 'progress' && event.done === 40 && stop.abort()
    await expect(volt.migrations.migrate({ signal: stop.signal, onEvent })).rejects.toThrow()
    const changed = await migrating(database, [{ id: 1, up: { ...once, update: { $inc: { runs: 2 } } } }])
    await expect(changed.migrations.migrate()).rejects.toMatchObject({ code: 'MIGRATION_DRIFT' })
  })

  it('names the document that the collection refuses, keeps the batches before it, and goes on behind them', async () => {
    const database = await withThings(30)
    const { db } = database
    const [, , third] = await db
      .collection('things')
      .find({ n: { $gte: 10 } })
      .sort({ _id: 1 })
      .toArray()
    await db.command({ collMod: 'things', validator: { $or: [{ n: { $ne: 12 } }, { runs: 0 }, { corrected: true }] } })
    const volt = await migrating(database, [{ id: 1, up: once }])
    await expect(volt.migrations.migrate()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining(`The document ${third?._id.toHexString()} of things is not valid`),
    })
    expect(await runsOf(database, { n: { $lt: 10 } })).toEqual([1])
    expect(await runsOf(database, { n: { $gte: 10 } })).toEqual([0])
    await db.collection('things').updateOne({ n: 12 }, { $set: { corrected: true } })
    await volt.migrations.migrate()
    expect(await runsOf(database)).toEqual([1])
  })

  it('does not write over what the service changes meanwhile', async () => {
    const database = await withThings(200)
    const things = database.db.collection('things')
    const byFunction: Backfill = {
      collection: 'things',
      batchSize: 20,
      batch: async (documents) =>
        documents.map(({ _id, runs }) => ({
          updateOne: { filter: { _id }, update: { $set: { runs: Number(runs) + 1000 } } },
        })),
    }
    const volt = await migrating(database, [{ id: 1, up: byFunction }])
    let isRunning = true
    let presses = 0
    const service = async () => {
      while (isRunning) {
        await things.updateOne({ n: presses % 200 }, { $inc: { runs: 1 } })
        presses += 1
      }
    }
    const serving = service()
    await volt.migrations.migrate()
    isRunning = false
    await serving
    const [sum] = await things.aggregate([{ $group: { _id: null, runs: { $sum: '$runs' } } }]).toArray()
    expect(presses).toBeGreaterThan(0)
    expect(sum?.runs).toBe(200_000 + presses)
  })

  it('takes what a cursor gives, in its order', async () => {
    const database = await withThings(57)
    const batches: number[][] = []
    const volt = await migrating(database, [
      {
        id: 1,
        up: {
          collection: 'things',
          batchSize: 10,
          cursor: {
            next: async (after, limit, { db }) => {
              const filter = after === undefined ? {} : { n: { $lt: after } }
              const documents = await db.collection('things').find(filter).sort({ n: -1 }).limit(limit).toArray()
              return documents.length === 0 ? null : { documents, checkpoint: documents.at(-1)?.n }
            },
            count: ({ db }) => db.collection('things').countDocuments(),
          },
          batch: async (documents) => {
            batches.push(documents.map(({ n }) => Number(n)))
            return documents.map(({ _id }) => ({ updateOne: { filter: { _id }, update: { $inc: { runs: 1 } } } }))
          },
        },
      },
    ])
    expect(await volt.migrations.plan({ to: 1 })).toContainEqual(
      expect.objectContaining({ id: '1', changes: [{ collection: 'things', documents: 57 }] }),
    )
    await volt.migrations.migrate()
    expect(batches.flat()).toEqual(Array.from({ length: 57 }, (_, at) => 56 - at))
    expect(await runsOf(database)).toEqual([1])
  })

  it('is part of down, too', async () => {
    const database = await withThings(35)
    const down = { ...once, update: { $inc: { runs: -1 } } }
    const volt = await migrating(database, [{ id: 1, up: once, down }])
    await volt.migrations.migrate()
    await volt.migrations.rollback()
    expect(await runsOf(database)).toEqual([0])
  })

  it('rests between batches', async () => {
    const database = await withThings(30)
    const volt = await migrating(database, [{ id: 1, up: { ...once, pauseMs: 200 } }])
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 250)
    // Whoever stops it does not wait for the rest to end.
    await expect(volt.migrations.migrate({ signal: stop.signal })).rejects.toMatchObject({ code: 'MIGRATION_STOPPED' })
    await volt.migrations.migrate()
    expect(await runsOf(database)).toEqual([1])
  })

  it('ends at once where there is nothing', async () => {
    const database = testDatabase()
    const volt = await migrating(database, [{ id: 1, up: once }])
    await volt.migrations.migrate()
    expect((await volt.migrations.status()).migrations.at(-1)).toMatchObject({ id: '1', state: 'applied' })
  })
})
