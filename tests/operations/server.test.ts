import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aClassroom, aDevice } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const clock = new SettableClock()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock })
  await volt.setup()
})

it('says what the server does, since its start and since the last look', async () => {
  const first = await volt.operations.server()
  expect(first).toMatchObject({ storageEngine: 'wiredTiger', sinceLastLook: null })
  expect(first.version).toMatch(/^\d+\.\d+/)
  expect(first.connections.current).toBeGreaterThan(0)
  expect(first.memory.residentMb).toBeGreaterThan(0)
  expect(first.cache.maximumBytes).toBeGreaterThan(0)
  await volt.classrooms.createMany(Array.from({ length: 25 }, () => aClassroom()))
  const second = await volt.operations.server()
  expect(second.sinceLastLook?.operations.insert).toBeGreaterThanOrEqual(25)
  expect(second.sinceLastLook?.network.receivedBytes).toBeGreaterThan(0)
  expect(second.sinceLastLook?.seconds).toBeGreaterThan(0)
})

it('names the members and how far they are behind', async () => {
  const { name, members, oplogSeconds } = await volt.operations.replicaSet()
  expect(name).toBe('autovolt')
  expect(members).toMatchObject([{ state: 'PRIMARY', isHealthy: true, lagSeconds: 0 }])
  expect(oplogSeconds).toBeGreaterThanOrEqual(0)
})

it('measures collections and their growth from the day before', async () => {
  await database.db.collection('plain').insertMany(Array.from({ length: 50 }, (_, n) => ({ n })))
  const first = await volt.operations.sizes()
  expect(first.growthSince).toBeNull()
  const plain = first.collections.find(({ name }) => name === 'plain')
  expect(plain).toMatchObject({ documents: 50, growth: null, indexes: { _id_: expect.any(Number) } })
  expect(plain?.dataBytes).toBeGreaterThan(50 * 20)
  expect(first.collections.map(({ name }) => name)).toContain('devices')
  await database.db.collection('plain').insertMany(Array.from({ length: 10 }, (_, n) => ({ n })))
  // A second look on the same day is measured from the day before as well.
  expect((await volt.operations.sizes()).growthSince).toBeNull()
  await database.db.collection('plain').insertMany(Array.from({ length: 5 }, (_, n) => ({ n })))
  const before = clock.now()
  clock.advance(86_400_000)
  const later = await volt.operations.sizes()
  expect(Math.abs(Number(later.growthSince) - before.getTime())).toBeLessThan(60_000)
  expect(later.collections.find(({ name }) => name === 'plain')?.growth).toMatchObject({ documents: 5 })
  expect(await database.db.collection('collection_sizes').countDocuments()).toBe(2)
})

it('shows what runs for long, without values, and ends what is named', async () => {
  const things = database.db.collection('plain')
  const slow = things
    .find({ $where: 'function () { sleep(200); return this.n === "a secret" }' } as never)
    .toArray()
    .catch((error: unknown) => error)
  const running = await eventually('it runs', async () => {
    const found = await volt.operations.running({ longerThanMs: 100 })
    return found.length > 0 ? found : null
  })
  expect(running).toMatchObject([{ collection: 'plain', isWaitingForLock: false }])
  expect(JSON.stringify(running)).not.toContain('secret')
  expect(await volt.operations.running({ longerThanMs: 3_600_000 })).toEqual([])
  await volt.operations.kill(running[0]?.id as number)
  expect(await slow).toMatchObject({ codeName: 'Interrupted' })
  await eventually('it is gone', async () => (await volt.operations.running({ longerThanMs: 100 })).length === 0)
  await expect(volt.operations.kill(running[0]?.id as number)).rejects.toMatchObject({ code: 'DATABASE' })
  await expect(volt.operations.kill('; drop' as never)).rejects.toMatchObject({ code: 'DATABASE' })
  await expect(volt.operations.kill({ $gt: 0 } as never)).rejects.toMatchObject({ code: 'CONFIGURATION' })
})

it('has the server check a collection, and compacts a primary only by force', async () => {
  expect(await volt.operations.validate('devices')).toMatchObject({ collection: 'devices', isValid: true, errors: [] })
  await expect(volt.operations.compact('devices')).rejects.toMatchObject({ code: 'CONFIGURATION' })
  const { freedBytes } = await volt.operations.compact('devices', { force: true })
  expect(freedBytes).toBeGreaterThanOrEqual(0)
  await expect(volt.operations.validate('$cmd')).rejects.toMatchObject({ code: 'VALIDATION' })
})

it('finds references that lead to nothing', async () => {
  const room = await volt.classrooms.create(aClassroom())
  await volt.devices.createMany([aDevice({ classroom: room._id }), aDevice()])
  await volt.database.native.collection('devices').updateMany({}, { $set: { classroom: room._id } })
  expect(await volt.operations.orphans()).toEqual([])
  const lost = await volt.devices.create(aDevice({ classroom: new ObjectId(), assignedUsers: [new ObjectId()] }))
  expect(await volt.operations.orphans()).toEqual([
    { collection: 'devices', field: 'classroom', to: 'classrooms', count: 1, samples: [lost._id] },
    { collection: 'devices', field: 'assignedUsers', to: 'users', count: 1, samples: [lost._id] },
  ])
  await database.db.collection('plain').insertOne({ n: 1, room: new ObjectId() })
  const own = await volt.operations.orphans([{ collection: 'plain', field: 'room', to: 'classrooms' }])
  expect(own.at(-1)).toMatchObject({ collection: 'plain', count: 1 })
})

describe('cleaning of orphans', () => {
  const reference = { collection: 'visits', field: 'room', to: 'rooms_of_host' }
  const visits = () => database.db.collection('visits')
  const [known, gone] = [new ObjectId(), new ObjectId()]

  beforeEach(async () => {
    await visits().deleteMany({})
    await database.db.collection('rooms_of_host').updateOne({ _id: known }, { $set: {} }, { upsert: true })
  })

  it('counts first, and deletes what leads to nothing and nothing else', async () => {
    const kept = [{ room: known }, { room: null }, {}, { room: 'Room 101' }]
    // The driver adds an _id to what it inserts.
    await visits().insertMany([
      ...kept.map((one) => ({ ...one })),
      ...Array.from({ length: 2_500 }, () => ({ room: gone })),
    ])
    const dry = await volt.operations.cleanOrphans(reference, { action: 'delete' })
    expect(dry).toEqual({ ...reference, orphans: 2_500, changed: 0, isComplete: true })
    const cleaned = await volt.operations.cleanOrphans(reference, { action: 'delete', dryRun: false })
    expect(cleaned).toEqual({ ...reference, orphans: 2_500, changed: 2_500, isComplete: true })
    expect(
      await visits()
        .find({}, { projection: { _id: 0 } })
        .toArray(),
    ).toEqual(kept)
  })

  it('takes ids that lead to nothing from a list, and a single one from its document', async () => {
    await visits().insertMany([{ room: [gone, known, gone] }, { room: gone, n: 1 }, { room: [known] }])
    await expect(volt.operations.cleanOrphans(reference, { action: 'delete' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
    const cleaned = await volt.operations.cleanOrphans(reference, { action: 'unset', dryRun: false })
    expect(cleaned).toMatchObject({ orphans: 2, changed: 2 })
    expect(
      await visits()
        .find({}, { projection: { _id: 0 } })
        .toArray(),
    ).toEqual([{ room: [known] }, { n: 1 }, { room: [known] }])
  })

  it('is for collections of the host only, and can be broken off', async () => {
    const ours = { collection: 'devices', field: 'classroom', to: 'classrooms' }
    await expect(volt.operations.cleanOrphans(ours, { action: 'unset' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
    await expect(volt.operations.cleanOrphans(reference, { action: 'drop' } as never)).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    await visits().insertOne({ room: gone })
    const signal = AbortSignal.abort()
    expect(await volt.operations.cleanOrphans(reference, { action: 'delete', dryRun: false, signal })).toMatchObject({
      changed: 0,
      isComplete: false,
    })
    expect(await visits().countDocuments()).toBe(1)
  })
})
