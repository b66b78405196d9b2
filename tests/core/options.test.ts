import mongoose from 'mongoose'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AutoVolt } from '../../src/autovolt.js'
import type { ConnectionEvent } from '../../src/core/connection-events.js'
import { where } from '../../src/core/repository/conditions.js'
import { validateData } from '../../src/core/validate.js'
import { cleanUpLater } from '../support/clean-up.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const { uri, dbName } = database
const named = { uri, dbName }
const configuration = (message: string) => ({
  name: 'DatabaseError',
  code: 'CONFIGURATION',
  message: expect.stringContaining(message),
})

describe('what cannot be used is refused at once, and named', () => {
  it.each<[string, unknown, string]>([
    ['no options', null, 'options have to be an object'],
    ['no uri', {}, '`uri` is needed'],
    ['no database', { uri }, 'Name the database'],
    ['an empty database', { uri, dbName: '' }, 'Name the database'],
    ['a logger without functions', { ...named, logger: {} }, 'logger lacks the functions debug, info, warn, error'],
    ['a clock without now()', { ...named, clock: {} }, 'clock lacks the functions now'],
    ['host entities that are none', { ...named, hostEntities: [{}] }, 'hostEntities'],
    ['host entities that are no list', { ...named, hostEntities: {} }, 'hostEntities'],
    ['a time that is no number', { ...named, connectRetryMs: Number.NaN }, 'connectRetryMs'],
    ['a number in a text', { ...named, socketTimeoutMs: '5' }, 'socketTimeoutMs'],
    ['a negative time', { ...named, serverSelectionTimeoutMs: -5 }, 'serverSelectionTimeoutMs'],
    ['a bad name of a collection', { ...named, collections: { devices: 'system.x' } }, 'cannot be named "system.x"'],
  ])('%s', async (_, options, message) => {
    await expect(AutoVolt.open(options as never)).rejects.toMatchObject(configuration(message))
  })

  it('a connection that is none', () => {
    for (const connection of [null, {}, mongoose]) {
      expect(() => AutoVolt.attach(connection as never)).toThrow('The connection is not open')
    }
  })

  it('an event that there is none of', async () => {
    const volt = await openVolt(database)
    expect(() => volt.on('nope' as ConnectionEvent, () => undefined)).toThrow('not to nope')
    expect(() => volt.on('error', undefined as never)).toThrow('A function can listen')
  })

  it('a transaction of something else than a function', async () => {
    const volt = await openVolt(database)
    await expect(volt.transaction(5 as never)).rejects.toMatchObject(configuration('takes a function'))
  })

  it('a text to begin with that is none', () => {
    expect(() => where.startsWith({ $gt: '' } as never)).toThrow('expected a text to begin with')
  })

  it('a schema that is none, or works asynchronously', () => {
    expect(() => validateData(undefined as never, {})).toThrow('validated by a zod schema')
    const schema = z.string().refine(async () => true)
    expect(() => validateData(schema, 'x')).toThrow('parseAsync')
  })

  it('a flag that is none, and an operation of no kind or two', async () => {
    const volt = await openVolt(database)
    await expect(volt.classrooms.find({}, { withDeleted: 'yes' as never })).rejects.toMatchObject({
      issues: [{ path: 'withDeleted', received: 'string' }],
    })
    for (const odd of [{ drop: 1 }, null, { create: { name: 'x' }, delete: '65f000000000000000000000' }]) {
      await expect(volt.classrooms.bulk([{ create: { name: 'y' } }, odd as never])).rejects.toMatchObject({
        issues: [{ path: '1', message: 'expected one of create, update, delete' }],
      })
    }
  })
})

it('a field that the model does not know, and a value that does not fit, are told without the value', async () => {
  const volt = await openVolt(database)
  const { model } = volt.classrooms
  expect(() => new model({ name: 'x', colour: 'red' } as never)).toThrow(
    expect.objectContaining({ code: 'VALIDATION', issues: [expect.objectContaining({ path: 'colour' })] }),
  )
  const error = await model.validate({ name: { secret: 'hidden' } } as never).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'VALIDATION' })
  expect(String(error)).not.toContain('hidden')
  expect(new model({ name: 'x' } as never)).toBeInstanceOf(model)
})

describe('closing', () => {
  it('goes on where a listener fails', async () => {
    const lines: string[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void lines.push(message) }
    const volt = await openVolt(database, { logger })
    volt.on('disconnected', () => {
      throw new Error('mine')
    })
    await volt.close()
    expect(lines).toEqual(['a listener failed'])
  })

  it('is refused inside a transaction, which it would cut off', async () => {
    const volt = await openVolt(database)
    await volt.setup()
    const closing = volt.transaction(async () => {
      await volt.classrooms.count()
      await volt.close()
    })
    await expect(closing).rejects.toMatchObject({ code: 'TRANSACTION' })
    expect(await volt.health()).toMatchObject({ status: 'up' })
  })

  it('takes the models along, also on a borrowed connection', async () => {
    const connection = await mongoose.createConnection(uri, { dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const volt = AutoVolt.attach(connection)
    await volt.close()
    expect(() => volt.classrooms.model).toThrow('The handle is closed')
    expect(connection.modelNames()).toEqual([])
  })
})
