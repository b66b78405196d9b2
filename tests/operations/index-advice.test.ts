import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const clock = new SettableClock()
let volt: AutoVolt
let client: MongoClient

/** A server of its own: what the profiler is set to belongs to the whole process. */
beforeAll(async () => {
  const mongod = await startMongodProcess()
  client = new MongoClient(mongod.uri)
  cleanUpLater(() => client.close())
  volt = await openVolt({ uri: mongod.uri, dbName: 'school' }, { clock })
  await volt.setup()
})

const things = () => client.db('school').collection('things')
const adviceOn = async (collection: string, options = {}) =>
  (await volt.operations.indexAdvice(options)).advice.filter(
    (one) => 'collection' in one && one.collection === collection,
  )

it('has nothing to say of a database that was just set up', async () => {
  expect(await volt.operations.indexAdvice()).toMatchObject({ advice: [], unreached: [] })
})

it('finds what another index begins with, what nobody uses, and what a slow query misses', async () => {
  await things().insertMany(
    Array.from({ length: 2_000 }, (_, n) => ({ owner: n % 7, kind: n % 3, at: n, note: n % 11, name: `secret ${n}` })),
  )
  await things().createIndexes([
    { key: { owner: 1 } },
    { key: { owner: 1, at: 1 } },
    { key: { name: 1 }, unique: true },
    { key: { kind: 1, at: 1 }, partialFilterExpression: { kind: 1 } },
  ])
  expect(await adviceOn('things')).toMatchObject([{ kind: 'redundant', index: 'owner_1', coveredBy: 'owner_1_at_1' }])

  await things().find({ owner: 3 }).sort({ at: 1 }).toArray()
  const recording = volt.operations.slowQueries({ overMs: 0, forMs: 3_000 })
  const level = async () => (await client.db('school').command({ profile: -1 })).was
  await eventually('the server records', async () => (await level()) > 0)
  await things()
    .find({ kind: 2, at: { $gt: 1_500 }, remark: { $ne: 'secret' } })
    .sort({ note: -1 })
    .toArray()
  await things()
    .find({ _id: 'none' as never })
    .toArray()
  const recorded = await recording
  const wasteful = recorded.find(({ shape }) => shape.startsWith('find { kind: =, at: >'))
  expect(wasteful).toMatchObject({
    collection: 'things',
    count: 1,
    planSummary: 'COLLSCAN',
    documentsExamined: 2_000,
    isSortedInMemory: true,
  })
  expect(JSON.stringify(recorded)).not.toContain('secret')

  const report = await volt.operations.indexAdvice()
  expect(report.hitRate?.servedByIndex).toBeLessThan(report.hitRate?.calls as number)
  expect(report.advice.find(({ kind }) => kind === 'missing')).toMatchObject({
    collection: 'things',
    key: { kind: 1, note: -1, at: 1 },
  })

  clock.advance(8 * 86_400_000)
  const unused = (await adviceOn('things')).filter(({ kind }) => kind === 'unused')
  expect(unused.map((one) => 'index' in one && one.index)).toEqual(['kind_1_at_1', 'owner_1'])
  // Ours say what they are declared for.
  const ours = (await adviceOn('devices')).find(({ kind }) => kind === 'unused')
  expect(ours).toMatchObject({ declaredFor: expect.any(String) })
})

it('hides an index, shows it again, and drops it with the way back', async () => {
  await volt.operations.hideIndex('things', 'owner_1')
  const hidden = async () => (await things().indexes()).filter((index) => index.hidden).map(({ name }) => name)
  expect(await hidden()).toEqual(['owner_1'])
  await volt.operations.unhideIndex('things', 'owner_1')
  expect(await hidden()).toEqual([])
  await expect(volt.operations.dropIndex('things', 'owner_1')).rejects.toMatchObject({ code: 'CONFIGURATION' })
  await volt.operations.hideIndex('things', 'owner_1')
  const { key, ...options } = await volt.operations.dropIndex('things', 'owner_1')
  expect([key, options]).toEqual([{ owner: 1 }, { name: 'owner_1' }])
  await things().createIndex(key, options)
  const refused = [
    () => volt.operations.hideIndex('things', 'name_1'),
    () => volt.operations.hideIndex('things', '_id_'),
    () => volt.operations.hideIndex('things', 'none'),
    () => volt.operations.hideIndex('none', 'a_1'),
    () => volt.operations.dropIndex('things', 'none'),
  ]
  for (const call of refused) await expect(call()).rejects.toMatchObject({ code: 'CONFIGURATION' })
})
