import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import type { EntityCollection } from '../../src/core/collection/entity-collection.js'
import { defineEntity, type Stored } from '../../src/core/entity.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const lampEntity = defineEntity({
  name: 'lamp',
  collection: 'lamps',
  fields: { name: z.string().max(50), watts: z.int().min(0) },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'lamps by name' }],
})
type Lamp = Stored<typeof lampEntity>

const database = setUpDatabase()
let nowMs = Date.parse('2026-03-01T10:00:00Z')
const clock = { now: () => new Date(nowMs) }
const logged: { readonly collection?: string; readonly operation?: string }[] = []
let volt: AutoVolt
let lamps: EntityCollection<Lamp>

beforeAll(async () => {
  const silent = () => undefined
  const logger = { debug: (fields: object) => logged.push(fields), info: silent, warn: silent, error: silent }
  const entity = lampEntity.inCollection('school_lamps')
  volt = await openVolt(database, { clock, logger, logQueries: true, hostEntities: [entity] })
  await volt.setup()
  lamps = volt.database.of(entity)
})
beforeEach(async () => {
  await lamps.deleteMany({})
  logged.length = 0
})

const rows = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `lamp ${at}`, watts: at }))

describe('the collection of an entity', () => {
  it('stamps what it stores, changes and replaces', async () => {
    const [first] = await lamps.insert([{ name: 'a', watts: 1 }])
    const created = clock.now()
    expect(first).toMatchObject({ createdAt: created, updatedAt: created, __v: 0 })
    nowMs += 1000
    await lamps.updateOne({ name: 'a' }, { $set: { watts: 2 } })
    const changed = await lamps.findOneAndUpdate({ name: 'a' }, { $inc: { watts: 1 } })
    expect(changed).toMatchObject({ watts: 3, createdAt: created, updatedAt: clock.now(), __v: 2 })
    nowMs += 1000
    const counts = await lamps.bulkWrite([
      { replace: changed as Lamp, by: { name: 'a', watts: 9 } },
      { update: { name: 'b' }, by: { $set: { watts: 5 } }, upsert: true },
      { insert: { name: 'c', watts: 7 } },
      { update: { name: 'c' }, by: { $inc: { watts: 1 } } },
    ])
    expect(counts).toEqual({ inserted: 1, matched: 2, modified: 2, upserted: 1, deleted: 0 })
    const now = clock.now()
    expect(await lamps.find({}, { sort: { name: 1 } })).toMatchObject([
      { name: 'a', watts: 9, createdAt: created, updatedAt: now, __v: 3 },
      { name: 'b', watts: 5, createdAt: now, updatedAt: now, __v: 1 },
      { name: 'c', watts: 8, createdAt: now, updatedAt: now, __v: 1 },
    ])
  })

  it('finds, counts, streams and aggregates', async () => {
    await lamps.insert(rows(50))
    expect(await lamps.count({ watts: { $lt: 10 } })).toBe(10)
    expect(await lamps.estimatedCount()).toBe(50)
    expect(await lamps.distinct<number>('watts', { watts: { $gte: 48 } })).toEqual([48, 49])
    const streamed: number[] = []
    for await (const { watts } of lamps.stream({}, { sort: { watts: 1 }, batchSize: 7 })) streamed.push(watts)
    expect(streamed).toEqual(rows(50).map(({ watts }) => watts))
    const sum = [{ $group: { _id: null, total: { $sum: '$watts' } } }]
    expect(await lamps.aggregate<{ total: number }>(sum)).toMatchObject([{ total: 1225 }])
    const groups: unknown[] = []
    for await (const group of lamps.streamAggregate<{ total: number }>(sum)) groups.push(group.total)
    expect(groups).toEqual([1225])
    expect(await lamps.find<{ name: string }>({ watts: 3 }, { projection: { _id: 0, name: 1 } })).toEqual([
      { name: 'lamp 3' },
    ])
  })

  it('takes part in the transaction of its caller, unless it is outside', async () => {
    const outside = volt.database.of(lamps.entity, { isOutside: true, isDurable: true })
    const attempt = volt.transaction(async () => {
      await lamps.insert(rows(2))
      const read: string[] = []
      for await (const { name } of lamps.stream({})) read.push(name)
      expect(read).toHaveLength(2)
      expect(await outside.count()).toBe(0)
      await outside.insert([{ name: 'whatever happens', watts: 1 }])
      throw new Error('rolled back')
    })
    await expect(attempt).rejects.toThrow('rolled back')
    expect((await lamps.find({})).map(({ name }) => name)).toEqual(['whatever happens'])
  })

  it('throws our errors: conflicts, documents that the server refuses', async () => {
    await lamps.insert(rows(1))
    await expect(lamps.insert(rows(1))).rejects.toMatchObject({ code: 'CONFLICT', fields: ['name'] })
    await expect(lamps.insert([{ name: 'negative', watts: -1 }])).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'watts' }],
    })
    await lamps.bulkWrite([{ insert: { name: 'vouched for', watts: -1 } }], { isTrusted: true })
    expect(await lamps.count({ watts: -1 })).toBe(1)
  })

  it('is logged under its real name, and under the call that it serves', async () => {
    await lamps.findOne({ _id: new ObjectId() })
    await lamps.for('report').find({})
    expect(logged).toMatchObject([
      { collection: 'school_lamps', operation: 'findOne' },
      { collection: 'school_lamps', operation: 'report' },
    ])
  })
})
