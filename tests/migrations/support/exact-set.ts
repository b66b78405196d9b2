import type { Db } from 'mongodb'
import { expect } from 'vitest'
import type { Migration } from '../../../src/migrations/index.js'

export const thingCount = 60

/** One migration of each kind of step. Each leaves traces that show whether it ran once. */
export const exactSet: readonly Migration[] = [
  { id: 1, up: async ({ db }) => db.collection('effects').insertOne({ by: 1 }) },
  {
    id: 2,
    transaction: true,
    up: async ({ db, keep }) => {
      await db.collection('effects').insertOne({ by: 2, part: 'a' })
      await db.collection('effects').insertOne({ by: 2, part: 'b' })
      keep('both')
    },
  },
  {
    id: 3,
    up: [
      { collection: 'things', indexes: [{ key: { n: 1 } }] },
      { collection: 'things', batchSize: 20, update: { $inc: { byUpdate: 1 } } },
      {
        collection: 'things',
        batchSize: 20,
        batch: async (documents, { db }) => {
          await db.collection('copies').insertMany(documents.map(({ n }) => ({ n })))
          return documents.map(({ _id }) => ({ updateOne: { filter: { _id }, update: { $inc: { byFunction: 1 } } } }))
        },
      },
    ],
    verify: async ({ db }) => {
      if ((await db.collection('copies').countDocuments()) !== thingCount) throw new Error('copies are missing')
    },
  },
  { id: 4, transaction: true, up: async ({ db }) => db.collection('effects').insertOne({ by: 4 }) },
]

export async function makeThings(db: Db): Promise<void> {
  await db.collection('things').insertMany(Array.from({ length: thingCount }, (_, n) => ({ n })))
}

/** Everything is as it is after each migration has run once. */
export async function expectExact(db: Db): Promise<void> {
  const made = await db
    .collection('effects')
    .find({}, { projection: { _id: 0 } })
    .sort({ by: 1, part: 1 })
    .toArray()
  expect(made).toEqual([{ by: 1 }, { by: 2, part: 'a' }, { by: 2, part: 'b' }, { by: 4 }])
  const things = await db
    .collection('things')
    .find({}, { projection: { _id: 0 } })
    .sort({ n: 1 })
    .toArray()
  expect(things).toEqual(Array.from({ length: thingCount }, (_, n) => ({ n, byUpdate: 1, byFunction: 1 })))
  const copies = await db.collection('copies').find().sort({ n: 1 }).toArray()
  expect(copies.map(({ n }) => n)).toEqual(things.map(({ n }) => n))
  const records = await db.collection('migrations').find({ name: /^\d/ }).sort({ name: 1 }).toArray()
  expect(records.map(({ name, state }) => [name, state])).toEqual(['1', '2', '3', '4'].map((name) => [name, 'applied']))
  const done = await db
    .collection('migration_history')
    .find({ name: /^\d/, action: 'migrate', outcome: 'done' })
    .toArray()
  // What was repaired by hand has an event of that instead.
  expect(new Set(done.map(({ name }) => name)).size).toBe(done.length)
}
