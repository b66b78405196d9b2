import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { startChild } from '../support/child.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const clock = new SettableClock()
let uri: string
let volt: AutoVolt
let client: MongoClient

beforeAll(async () => {
  const mongod = await startMongodProcess()
  uri = mongod.uri
  client = new MongoClient(uri)
  cleanUpLater(() => client.close())
  volt = await openVolt({ uri, dbName: 'school' }, { clock })
  await volt.setup()
  await client.db('school').command({ profile: 0, slowms: 321, sampleRate: 0.5 })
})

const settings = async () => {
  const { was, slowms, sampleRate } = await client.db('school').command({ profile: -1 })
  return { was, slowms, sampleRate }
}
const former = { was: 0, slowms: 321, sampleRate: 0.5 }
const kept = () => client.db('school').collection('profiler_settings').countDocuments()

it('is put back to all that it was, also when it is ended early', async () => {
  const ending = new AbortController()
  const looking = volt.operations.slowQueries({ overMs: 7, forMs: 60_000, signal: ending.signal })
  await eventually('it is on', async () => (await settings()).was === 1)
  expect(await settings()).toEqual({ was: 1, slowms: 7, sampleRate: 1 })
  await expect(volt.operations.slowQueries({ forMs: 1 })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  ending.abort()
  await looking
  expect(await settings()).toEqual(former)
  expect(await kept()).toBe(0)
})

it('is left alone where everything is profiled already', async () => {
  await client.db('school').command({ profile: 2, slowms: 321, sampleRate: 0.5 })
  await volt.operations.slowQueries({ overMs: 7, forMs: 10 })
  expect(await settings()).toEqual({ ...former, was: 2 })
  await client.db('school').command({ profile: 0, slowms: 321, sampleRate: 0.5 })
})

it('keeps the filter that somebody had given it', async () => {
  await client.db('school').command({ profile: 1, filter: { millis: { $gt: 5_000 } } })
  await volt.operations.slowQueries({ overMs: 7, forMs: 10 })
  const after = await client.db('school').command({ profile: -1 })
  expect(after).toMatchObject({ was: 1, filter: { millis: { $gt: 5_000 } } })
  await client.db('school').command({ profile: 0, slowms: 321, sampleRate: 0.5, filter: 'unset' })
})

it('is put back by the next process that looks, where the one that changed it was killed', async () => {
  const child = startChild(new URL('./profiling-child.ts', import.meta.url), { env: { MONGODB_URI: uri } })
  await eventually('it is on', async () => (await settings()).was === 1, { timeoutMs: 60_000 })
  await child.kill()
  // As long as it may still be at work nobody interferes.
  await volt.operations.doctor()
  expect(await settings()).toMatchObject({ was: 1 })
  clock.advance(120_000)
  const { findings } = await volt.operations.doctor()
  expect(findings.find(({ check }) => check === 'profiler')).toMatchObject({ state: 'warning' })
  expect(await settings()).toEqual(former)
  expect(await kept()).toBe(0)
})
