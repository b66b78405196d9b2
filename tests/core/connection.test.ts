import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { DatabaseConnectionError } from '../../src/core/errors.js'
import type { Logger } from '../../src/core/logger.js'
import { aClassroom } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { startStandalone } from './support/standalone.js'

function recordingLogger(): { logger: Logger; warnings: Record<string, unknown>[] } {
  const warnings: Record<string, unknown>[] = []
  const nothing = () => undefined
  const warn = (fields: Readonly<Record<string, unknown>>) => void warnings.push(fields)
  return { logger: { debug: nothing, info: nothing, warn, error: nothing }, warnings }
}

describe('the first connection', () => {
  it('is tried again, with growing pauses, until the server is there', async () => {
    const port = await freePort()
    const { logger, warnings } = recordingLogger()
    const opening = AutoVolt.open({
      uri: `mongodb://127.0.0.1:${port}/`,
      dbName: 'late',
      serverSelectionTimeoutMs: 200,
      connectRetryMs: 30_000,
      logger,
    })
    await eventually('it was tried three times', () => warnings.length >= 3)
    await startStandalone({ port })
    await using volt = await opening
    expect(await volt.health()).toMatchObject({ status: 'up', replicaSet: null })
    const [first = 0, second = 0, third = 0] = warnings.map(({ pauseMs }) => Number(pauseMs))
    for (const [pauseMs, limitMs] of [
      [first, 200],
      [second, 400],
      [third, 800],
    ] as const) {
      expect(pauseMs).toBeGreaterThanOrEqual(limitMs / 2)
      expect(pauseMs).toBeLessThanOrEqual(limitMs)
    }
    expect(warnings[0]).toMatchObject({ attempt: 1, reason: expect.stringContaining('The database cannot be reached') })
  })

  it('fails with a DatabaseConnectionError once the limit is reached', async () => {
    const { logger, warnings } = recordingLogger()
    const opening = AutoVolt.open({
      uri: `mongodb://127.0.0.1:${await freePort()}/school`,
      serverSelectionTimeoutMs: 100,
      connectRetryMs: 1_000,
      logger,
    })
    const error: unknown = await opening.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DatabaseConnectionError)
    expect(error).toMatchObject({
      code: 'CONNECTION',
      retryable: true,
      message: expect.stringMatching(/^The database cannot be reached: .*ECONNREFUSED 127\.0\.0\.1/),
    })
    expect(warnings.length).toBeGreaterThan(0)
  })

  it('is not tried again where the login is refused', async () => {
    const { uri, port } = await startStandalone({ args: ['--auth'] })
    const password = randomUUID()
    await using client = new MongoClient(uri)
    await client.db('admin').command({ createUser: 'asha', pwd: password, roles: ['root'] })
    const { logger, warnings } = recordingLogger()
    const wrong = AutoVolt.open({
      uri: `mongodb://asha:not-${password}@127.0.0.1:${port}/school?authSource=admin`,
      logger,
    })
    await expect(wrong).rejects.toMatchObject({
      name: 'DatabaseError',
      code: 'NOT_AUTHORIZED',
      retryable: false,
      message: 'The database refused: Authentication failed.',
    })
    expect(warnings).toEqual([])
    await using volt = await AutoVolt.open({
      uri: `mongodb://asha:${password}@127.0.0.1:${port}/school?authSource=admin`,
    })
    expect(await volt.health()).toMatchObject({ status: 'up' })

    // Without a login nobody is refused at the door, but at the first call.
    await using anonymous = await AutoVolt.open({ uri, dbName: 'school' })
    const call = anonymous.classrooms.findOne({ name: 'unmistakable' })
    const error: unknown = await call.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'NOT_AUTHORIZED' })
    expect(String(error) + String((error as Error).cause)).not.toContain('unmistakable')
  })
})

describe('a standalone server', () => {
  it('is refused for what needs a replica set, with the reason, and serves for the rest', async () => {
    const { uri } = await startStandalone()
    await using volt = await AutoVolt.open({ uri, dbName: 'school' })
    await volt.setup()
    const room = await volt.classrooms.create(aClassroom())
    expect(await volt.classrooms.update(room._id, { floor: 2 })).toMatchObject({ floor: 2 })
    const refusals: readonly [what: string, call: () => Promise<unknown>][] = [
      ['Transactions', () => volt.transaction(async () => undefined)],
      ['Transactions', () => volt.classrooms.createMany([aClassroom()])],
      ['Transactions', () => volt.classrooms.bulk([{ delete: room._id }])],
      ['Change streams', () => volt.classrooms.watch()],
    ]
    for (const [what, call] of refusals) {
      await expect(call()).rejects.toMatchObject({
        name: 'DatabaseError',
        code: 'REPLICA_SET_REQUIRED',
        message: `${what} need a replica set or a sharded cluster, and this is a standalone server; a replica set of one member is enough (mongod --replSet, then rs.initiate())`,
      })
    }
    expect(await volt.classrooms.count()).toBe(1)
  })
})

describe('a server that is killed and comes back', () => {
  it('is told of by events, and calls meanwhile fail with a clear error instead of waiting for it', async () => {
    const mongod = await startMongodProcess()
    const volt = await AutoVolt.open({ uri: mongod.uri, dbName: 'school', serverSelectionTimeoutMs: 500 })
    cleanUpLater(() => volt.close())
    await volt.setup()
    const events: string[] = []
    for (const event of ['connected', 'disconnected', 'reconnected', 'error'] as const) {
      volt.on(event, () => void events.push(event))
    }
    const stopListening = volt.on('disconnected', () => void events.push('not heard any more'))
    stopListening()

    await mongod.kill()
    await eventually('it is disconnected', () => events.includes('disconnected'))
    const failures = await Promise.allSettled([
      volt.classrooms.create(aClassroom()),
      volt.classrooms.find(),
      volt.classrooms.findDocuments(),
      volt.transaction(() => volt.classrooms.count()),
      volt.setup(),
      volt.classrooms.stream().next(),
    ])
    for (const failure of failures) {
      expect(failure).toMatchObject({
        status: 'rejected',
        reason: { name: 'DatabaseConnectionError', code: 'CONNECTION', retryable: true },
      })
    }
    expect(await volt.health()).toMatchObject({
      status: 'down',
      latencyMs: null,
      replicaSet: null,
      reason: expect.stringContaining('The database cannot be reached'),
    })

    await mongod.start()
    // Whoever asks makes the driver look again; by itself it does so every ten seconds.
    await eventually('it is up', async () => (await volt.health()).status === 'up')
    await eventually('it is reconnected', () => events.includes('reconnected'))
    expect(await volt.classrooms.count()).toBe(0)
    expect(events.indexOf('disconnected')).toBeLessThan(events.indexOf('reconnected'))
    expect(events).not.toContain('not heard any more')
    expect(new Set(events)).toEqual(new Set(['disconnected', 'connected', 'reconnected']))
  })

  it('does not keep a host from closing', async () => {
    const mongod = await startMongodProcess()
    const volt = await AutoVolt.open({ uri: mongod.uri, dbName: 'school', serverSelectionTimeoutMs: 500 })
    const changes = await volt.classrooms.watch()
    const next = changes.next()
    await mongod.kill()
    await volt.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })
})
