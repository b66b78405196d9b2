import { ObjectId } from 'mongodb'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { where } from '../../src/index.js'
import { startChild } from '../support/child.js'
import { setUpDatabase, type TestDatabase, testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const dayMs = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs)
const old = { name: 'old logs', collection: 'device_logs', field: 'at', olderThanDays: 30 } as const

let database: TestDatabase
let volt: AutoVolt

const logs = () => database.db.collection('device_logs')

function aLog(days: number, rest: object = {}) {
  return {
    device: new ObjectId(),
    kind: 'rebooted',
    level: 'info',
    at: daysAgo(days),
    key: String(new ObjectId()),
    ...rest,
  }
}

beforeEach(async () => {
  database = setUpDatabase()
  volt = await openVolt(database)
  await volt.setup()
})

describe('a policy', () => {
  it('says what would go, and lets go of that and nothing else', async () => {
    await logs().insertMany([aLog(40), aLog(31), aLog(29), aLog(1), aLog(50, { level: 'error' })])
    const infos = { ...old, filter: { level: 'info' } }
    expect(await volt.retention.run([infos], { dryRun: true })).toMatchObject([
      { policy: 'old logs', due: 2, deleted: 0 },
    ])
    expect(await logs().countDocuments()).toBe(5)
    expect(await volt.retention.run([infos])).toMatchObject([{ deleted: 2, archived: 0, isComplete: true }])
    expect((await logs().find().sort({ at: 1 }).toArray()).map(({ level }) => level)).toEqual(['error', 'info', 'info'])
    expect(await volt.retention.run([{ ...old, filter: { level: where.in(['error']) } }])).toMatchObject([
      { deleted: 1 },
    ])
    expect(await volt.retention.runs()).toMatchObject([{ deleted: 1, isComplete: true }, { deleted: 2 }])
  })

  it('archives by month, and what was archived can be brought back', async () => {
    const documents = Array.from({ length: 2_500 }, (_, n) => aLog(31 + (n % 60)))
    await logs().insertMany(documents)
    const archiving = { ...old, archiveTo: 'device_logs_{year}_{month}' }
    const [report] = await volt.retention.run([archiving])
    expect(report).toMatchObject({ archived: 2_500, deleted: 2_500, isComplete: true })
    const archives = (await database.db.listCollections({ name: /^device_logs_/ }).toArray()).map(({ name }) => name)
    expect(archives.length).toBeGreaterThanOrEqual(2)
    const kept = (await Promise.all(archives.map((name) => database.db.collection(name).find().toArray()))).flat()
    expect(kept.map(({ _id }) => String(_id)).toSorted()).toEqual(
      documents.map((one) => String((one as { _id?: ObjectId })._id)).toSorted(),
    )
    for (const from of archives) await volt.retention.bringBack({ from, collection: 'device_logs' })
    expect(await logs().countDocuments()).toBe(2_500)
  })

  it('leaves the copy that is there as it is', async () => {
    const document = { _id: new ObjectId(), ...aLog(40) }
    await logs().insertOne(document)
    await database.db.collection('old_logs').insertOne({ _id: document._id, note: 'was here before' })
    await volt.retention.run([{ ...old, archiveTo: 'old_logs' }])
    expect(await database.db.collection('old_logs').find().toArray()).toEqual([
      { _id: document._id, note: 'was here before' },
    ])
    expect(await logs().countDocuments()).toBe(0)
  })

  it.each([
    ['of no entity', { collection: 'strangers' }],
    ['about the ledger', { collection: 'power_consumption_ledger', field: 'timestamp' }],
    ['about roll-ups', { collection: 'daily_aggregates', field: 'date' }],
    ['about what people are', { collection: 'users', field: 'createdAt' }],
    ['by a field without an index', { field: 'message' }],
    ['into the collection of an entity', { archiveTo: 'devices' }],
    ['that compares its date itself', { filter: { at: new Date() } }],
  ])('%s is refused, and nothing is done', async (_, change) => {
    await logs().insertOne(aLog(40))
    await expect(volt.retention.run([{ ...old, ...change }])).rejects.toMatchObject({ code: 'CONFIGURATION' })
    expect(() => volt.retention.start([{ ...old, ...change }])).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    )
    expect(await logs().countDocuments()).toBe(1)
  })

  it('is refused with an operator for a filter, and in two of one name', async () => {
    await expect(volt.retention.run([{ ...old, filter: { level: { $ne: 'x' } } }])).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    await expect(volt.retention.run([old, old])).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it('stops after a batch when it is told to', async () => {
    await logs().insertMany(Array.from({ length: 3_000 }, () => aLog(40)))
    const stopping = new AbortController()
    const running = volt.retention.run([old], { signal: stopping.signal })
    await eventually('something is gone', async () => (await logs().countDocuments()) < 3_000, { everyMs: 1 })
    stopping.abort()
    const [report] = await running
    const left = await logs().countDocuments()
    expect(report?.deleted).toBe(3_000 - left)
    expect(report?.isComplete).toBe(left === 0)
  })
})

describe('several processes', () => {
  it('let everything go once, archived whole, however often they are killed', async () => {
    const shared = testDatabase()
    const owner = await openVolt(shared)
    await owner.setup()
    const documents = Array.from({ length: 12_000 }, (_, n) => ({ ...aLog(31 + (n % 5)), _id: new ObjectId() }))
    await shared.db.collection('device_logs').insertMany([...documents, aLog(1)])
    const env = { MONGODB_URI: shared.uri, MONGODB_DB_NAME: shared.dbName }
    const start = () => startChild(new URL('./letting-child.ts', import.meta.url), { env })
    for (let kill = 0; kill < 3; kill += 1) {
      const children = [start(), start()]
      const before = await shared.db.collection('device_logs').countDocuments()
      await eventually(
        'some are gone',
        async () => (await shared.db.collection('device_logs').countDocuments()) < before,
        {
          everyMs: 5,
          timeoutMs: 120_000,
        },
      )
      await Promise.all(children.map((child) => child.kill()))
      // The lease of one that was killed ends by itself; here it is given up.
      await shared.db.collection('leases').deleteMany({})
      if ((await shared.db.collection('device_logs').countDocuments()) === 1) break
    }
    await owner.retention.run([{ ...old, archiveTo: 'old_logs' }])
    expect(await shared.db.collection('device_logs').countDocuments()).toBe(1)
    const kept = await shared.db.collection('old_logs').find().toArray()
    expect(kept.map(({ _id }) => String(_id)).toSorted()).toEqual(documents.map(({ _id }) => String(_id)).toSorted())
  }, 300_000)

  it('do not run policies at the same time', async () => {
    await logs().insertMany(Array.from({ length: 5_000 }, () => aLog(40)))
    const second = await openVolt(database)
    const ends = await Promise.allSettled([volt.retention.run([old]), second.retention.run([old])])
    const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []))
    expect(reasons.every((code) => code === 'LEASE_LOST')).toBe(true)
    expect(await logs().countDocuments()).toBe(0)
    expect(
      ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value[0]?.deleted ?? 0] : [])).reduce((a, b) => a + b),
    ).toBe(5_000)
  })
})
