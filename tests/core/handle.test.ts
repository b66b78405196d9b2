import type { EventEmitter } from 'node:events'
import mongoose from 'mongoose'
import { describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import type { Logger } from '../../src/core/logger.js'
import { aClassroom, keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const { uri, dbName } = database

describe('opening', () => {
  it('creates nothing in the database', async () => {
    const own = testDatabase()
    await openVolt(own)
    expect(await own.db.listCollections().toArray()).toEqual([])
  })

  it('has the usual defaults, and buffers no commands', async () => {
    const volt = await openVolt(database)
    expect(volt.database.client.options).toMatchObject({
      maxPoolSize: 10,
      serverSelectionTimeoutMS: 5_000,
      socketTimeoutMS: 45_000,
      retryReads: true,
      retryWrites: true,
      writeConcern: { w: 'majority' },
      appName: '@autovolt/data',
    })
    expect(volt.database.connection.get('bufferCommands')).toBe(false)
  })

  it('heeds what the connection string says, and above it the options', async () => {
    const wordy = `${uri}&maxPoolSize=3&socketTimeoutMS=1234&retryWrites=false&w=1&appName=mine`
    await using volt = await AutoVolt.open({ uri: wordy, dbName, socketTimeoutMs: 4321 })
    expect(volt.database.client.options).toMatchObject({
      maxPoolSize: 3,
      socketTimeoutMS: 4321,
      retryWrites: false,
      writeConcern: { w: 1 },
      appName: 'mine',
    })
  })

  it('takes the database from the connection string if it is not told another', async () => {
    const named = uri.replace('/?', `/${dbName}?`)
    await using volt = await AutoVolt.open({ uri: named })
    expect(volt.database.connection.name).toBe(dbName)
    await using other = await AutoVolt.open({ uri: named, dbName: 'another' })
    expect(other.database.connection.name).toBe('another')
  })

  it("keeps out of the host's Mongoose: its connections, settings and plugins", async () => {
    const before = mongoose.connections.length
    const applied: unknown[] = []
    mongoose.plugin((schema) => applied.push(schema))
    cleanUpLater(async () => {
      ;(mongoose as unknown as { plugins: unknown[] }).plugins.pop()
    })
    const volt = await openVolt(database)
    expect(volt.classrooms.model.modelName).toBeDefined()
    expect(mongoose.connections).toHaveLength(before)
    expect(applied).toEqual([])
  })

  it('refuses bad keys and options before it connects', async () => {
    const unreachable = 'mongodb://127.0.0.1:1/'
    const short = { active: 'a', keys: { a: Buffer.alloc(16) } }
    await expect(AutoVolt.open({ uri: unreachable, keys: short })).rejects.toMatchObject({ code: 'KEY_RING' })
    await expect(AutoVolt.open({ uri: undefined as never })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await expect(AutoVolt.open({ uri, maxPoolSize: -1 })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('closing', () => {
  it('ends with `await using`, and can be done again', async () => {
    let kept: AutoVolt
    {
      await using volt = await AutoVolt.open({ uri, dbName })
      kept = volt
      expect(await volt.health()).toMatchObject({ status: 'up' })
    }
    await Promise.all([kept.close(), kept.close()])
    expect(kept.database.connection.readyState).toBe(mongoose.ConnectionStates.disconnected)
  })

  it('refuses every later call, at once and clearly', async () => {
    const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first') })
    const room = aClassroom()
    await volt.close()
    const calls: readonly (() => Promise<unknown>)[] = [
      () => volt.classrooms.create(room),
      () => volt.classrooms.find(),
      () => volt.classrooms.page(),
      () => volt.classrooms.after(),
      () => volt.classrooms.update('65f000000000000000000000', { name: 'x' }),
      () => volt.classrooms.upsert({ name: room.name }, room),
      () => volt.classrooms.createMany([room]),
      () => volt.classrooms.findDocuments(),
      () => volt.classrooms.watch(),
      () => volt.classrooms.stream().next(),
      () => volt.devices.revealDeviceSecret('65f000000000000000000000'),
      () => volt.ledger.verify(),
      () => volt.transaction(async () => undefined),
      () => volt.setup(),
      () => volt.resealSecrets(),
    ]
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        name: 'DatabaseError',
        code: 'CLOSED',
        message: 'The handle is closed',
      })
    }
    expect(await volt.health()).toMatchObject({ status: 'down', latencyMs: null })
  })

  it('gives calls under way a clear error too', async () => {
    const volt = await AutoVolt.open({ uri, dbName })
    const calls = Promise.allSettled(Array.from({ length: 30 }, () => volt.classrooms.find({}, { limit: 1000 })))
    await volt.close()
    const cutOff = (await calls).filter((outcome) => outcome.status === 'rejected')
    expect(cutOff.length).toBeGreaterThan(0)
    for (const { reason } of cutOff)
      expect(reason).toMatchObject({ code: 'CLOSED', message: 'The handle was closed meanwhile' })
  })

  it('ends change streams, of a borrowed connection too', async () => {
    const connection = await mongoose.createConnection(uri, { dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const volt = AutoVolt.attach(connection)
    const changes = await volt.classrooms.watch()
    const next = changes.next()
    await volt.close()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(connection.readyState).toBe(1)
  })

  it('leaves nothing behind on a borrowed connection', async () => {
    const connection = await mongoose.createConnection(uri, { dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const client = connection.getClient() as unknown as EventEmitter
    const listeners = () => [connection, client].map((emitter) => countListeners(emitter as unknown as EventEmitter))
    const before = listeners()
    for (let time = 0; time < 20; time += 1) {
      const volt = AutoVolt.attach(connection)
      expect(volt.classrooms.model.modelName).toBeDefined()
      await volt.close()
    }
    expect(listeners()).toEqual(before)
    expect(connection.modelNames()).toEqual([])
  })

  it('makes Node see no leak where many handles share a connection', async () => {
    const connection = await mongoose.createConnection(uri, { dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const emitters = [connection, connection.getClient()] as unknown as EventEmitter[]
    const limits = () => emitters.map((emitter) => emitter.getMaxListeners())
    const before = limits()
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    const volts = Array.from({ length: 25 }, () => AutoVolt.attach(connection))
    expect(await volts.at(-1)?.health()).toMatchObject({ status: 'up' })
    await Promise.all(volts.map((volt) => volt.close()))
    await new Promise(setImmediate)
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
    expect(limits()).toEqual(before)
  })
})

function countListeners(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}

describe('health', () => {
  it('tells latency, the replica set and the use of the pool', async () => {
    const volt = await openVolt(database)
    const health = await volt.health()
    const host = new URL(uri).host
    expect(health).toEqual({
      status: 'up',
      latencyMs: expect.any(Number),
      replicaSet: { name: 'autovolt', isWritablePrimary: true, primary: host, hosts: [host] },
      pool: { size: expect.any(Number), checkedOut: 0, waiting: 0 },
      notices: [],
      periodicWork: [],
      reason: null,
    })
    expect(health.pool.size).toBeGreaterThan(0)
  })

  it('counts connections in use, and operations that wait for one', async () => {
    const volt = await openVolt(database, { maxPoolSize: 1 })
    const { insertedId: _id } = await database.db.collection('slow').insertOne({})
    const slow = () => volt.database.native.collection('slow').findOne({ _id, $where: 'sleep(100) || true' })
    const first = slow()
    const health = volt.health()
    const others = [slow(), slow()]
    // The question waited for the first, and the others wait for each other.
    const { pool } = await health
    expect(pool.size).toBe(1)
    expect(pool.checkedOut + pool.waiting).toBe(2)
    await Promise.all([first, ...others])
    expect((await volt.health()).pool).toEqual({ size: 1, checkedOut: 0, waiting: 0 })
  })

  it('is up inside a transaction, without taking part in it', async () => {
    const volt = await openVolt(database)
    const health = await volt.transaction(() => volt.health())
    expect(health.status).toBe('up')
  })
})

describe('logging', () => {
  function recorder(): { logger: Logger; lines: { level: string; fields: object; message: string }[] } {
    const lines: { level: string; fields: object; message: string }[] = []
    const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
    return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines }
  }

  it('names collection, operation and duration of a query, and no value', async () => {
    const { logger, lines } = recorder()
    const volt = await openVolt(database, { logger, logQueries: true })
    await volt.setup()
    await volt.classrooms.create(aClassroom({ name: 'unmistakable' }))
    await volt.classrooms.findOne({ name: 'unmistakable' })
    await expect(volt.classrooms.get('65f000000000000000000000')).rejects.toThrow()
    // Every other second it is looked whether the database is being restored.
    const queries = lines.filter(
      ({ message, fields }) =>
        message === 'query' && !('collection' in fields && fields.collection === 'restore_journals'),
    )
    expect(queries).toEqual(
      ['create', 'findOne', 'get'].map((operation) => ({
        level: 'debug',
        message: 'query',
        fields: { collection: 'classrooms', operation, durationMs: expect.any(Number) },
      })),
    )
    expect(JSON.stringify(lines)).not.toContain('unmistakable')
  })

  it('says nothing of queries unless it is asked to', async () => {
    const { logger, lines } = recorder()
    const volt = await openVolt(database, { logger })
    await volt.setup()
    await volt.classrooms.find()
    expect(lines).toEqual([])
  })
})

it("reads what others wrote in the library's own way, however the connection was opened", async () => {
  const own = testDatabase()
  const options = { dbName: own.dbName, promoteValues: false, promoteLongs: false, ignoreUndefined: false }
  const connection = await mongoose.createConnection(own.uri, options).asPromise()
  cleanUpLater(() => connection.destroy())
  const volt = AutoVolt.attach(connection)
  await volt.setup()
  const { _id } = await volt.classrooms.create(aClassroom({ floor: 3, building: undefined }))
  expect(await volt.classrooms.get(_id)).toMatchObject({ floor: 3, __v: 0 })
})
