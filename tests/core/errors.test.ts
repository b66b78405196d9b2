import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { MongoServerError, ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { defineEntity } from '../../src/core/entity.js'
import {
  ConflictError,
  DatabaseConnectionError,
  DatabaseError,
  NotFoundError,
  ValidationError,
} from '../../src/core/errors.js'
import { change } from '../../src/core/repository/changes.js'
import { hasErrorLabel, translateError } from '../../src/core/translate-error.js'
import { validateData } from '../../src/core/validate.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const personEntity = defineEntity({
  name: 'person',
  collection: 'people',
  fields: {
    email: z.email(),
    city: z.string(),
    badge: z.int().min(0),
    notes: z.array(z.string().max(50)).default([]),
    blob: z.string().optional(),
  },
  indexes: [
    { key: { email: 1 }, unique: true, serves: 'a person by address' },
    { key: { city: 1, badge: 1 }, unique: true, serves: 'a badge in a city' },
  ],
})
const asha = { email: 'asha@example.org', city: 'Pune', badge: 7 }
let volt: AutoVolt
const people = () => volt.repository(personEntity)

beforeAll(async () => {
  volt = await openVolt(database, { hostEntities: [personEntity] })
  await volt.setup()
})
beforeEach(async () => {
  await database.db.collection('people').deleteMany({})
})

const errorOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Everything of an error and of its causes that could end up in a log. */
const everythingOf = (error: unknown) =>
  inspect(error, { depth: 20, showHidden: true, getters: true }) + JSON.stringify(error)

describe('an error about much that is wrong', () => {
  const schema = z.strictObject({ items: z.array(z.strictObject({ name: z.string() })) })
  const errorAbout = (data: unknown) => {
    try {
      validateData(schema, data)
    } catch (error) {
      return error as ValidationError
    }
    throw new Error('It is valid')
  }

  it('has the first hundred issues, and how many there are', () => {
    const error = errorAbout({ items: Array.from({ length: 30_000 }, () => ({})) })
    expect(error.issues).toHaveLength(100)
    expect(error).toMatchObject({ issueCount: 30_000, message: expect.stringMatching(/; and 29990 more$/) })
    expect(JSON.stringify(error).length).toBeLessThan(20_000)
  })

  it('does not repeat long names, nor what an input calls its type', () => {
    const error = errorAbout({ items: [], ['x'.repeat(1e6)]: 1, other: { _bsontype: 'y'.repeat(1e6) } })
    expect(error.issues).toEqual([
      { path: `${'x'.repeat(300)}…`, message: 'is not a field', received: 'number' },
      { path: 'other', message: 'is not a field', received: 'object' },
    ])
    expect(everythingOf(error).length).toBeLessThan(10_000)
  })

  it('refuses a change of more fields than any entity has, or of a field and a part of it', async () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`field${n}`, n]))
    await expect(people().update(new ObjectId(), many as never)).rejects.toMatchObject({
      issues: [{ path: '', message: 'names more than 1000 fields' }],
    })
    const both = { notes: [], 'notes.0': 'a', 'notes.0.b': 'c', noted: 1 }
    const error = await errorOf(people().update(new ObjectId(), both as never))
    expect((error as ValidationError).issues.map(({ message }) => message)).toEqual([
      'overlaps with notes.0.b',
      'overlaps with notes.0.b',
      'overlaps with notes.0',
      'is not a field that can be changed',
    ])
  })
})

describe('an error that leaves the library', () => {
  it('is of its class, says its code and whether to try again, and so in JSON', () => {
    const errors = [
      new DatabaseError('TIMEOUT', 'slow', { retryable: true }),
      new ValidationError('The thing', [{ path: 'a.0', message: 'is odd', received: 'number' }]),
      new NotFoundError('thing', 'id 5'),
      new ConflictError('CONFLICT', 'taken', { fields: ['email'], values: { email: 'asha@example.org' } }),
      new DatabaseConnectionError('gone'),
    ]
    for (const error of errors) expect(error).toBeInstanceOf(DatabaseError)
    expect(JSON.parse(JSON.stringify(errors))).toEqual([
      { name: 'DatabaseError', code: 'TIMEOUT', message: 'slow', retryable: true },
      {
        name: 'ValidationError',
        code: 'VALIDATION',
        message: 'The thing is not valid: a.0: is odd',
        retryable: false,
        issues: [{ path: 'a.0', message: 'is odd', received: 'number' }],
        issueCount: 1,
      },
      { name: 'NotFoundError', code: 'NOT_FOUND', message: 'No thing with id 5', retryable: false },
      { name: 'ConflictError', code: 'CONFLICT', message: 'taken', retryable: false, fields: ['email'] },
      { name: 'DatabaseConnectionError', code: 'CONNECTION', message: 'gone', retryable: true },
    ])
  })

  it.each([
    ['The thing', 'is'],
    ['The options', 'are'],
    ['The options of the cache', 'are'],
    ['The change of power settings', 'is'],
    ['The filter on ledger heads', 'is'],
    ['The status', 'is'],
    ['The class', 'is'],
  ])('says that "%s" %s not valid', (subject, verb) => {
    const { message } = new ValidationError(subject, [{ path: 'a', message: 'is odd', received: 'number' }])
    expect(message).toBe(`${subject} ${verb} not valid: a: is odd`)
  })

  it('names every issue, and describes the first ten', () => {
    const issues = Array.from({ length: 12 }, (_, index) => ({ path: String(index), message: 'is odd', received: 'x' }))
    const error = new ValidationError('The list', issues)
    expect(error.issues).toHaveLength(12)
    expect(error.message).toMatch(/^The list is not valid: 0: is odd; .*9: is odd; and 2 more$/)
  })

  it('has what the driver said as its cause, without documents, filters and commands', async () => {
    await people().create(asha)
    const other = await people().create({ email: 'ravi@example.org', city: 'Delhi', badge: 1 })
    const raw = (command: object) =>
      volt.database.run(personEntity, 'test', () => volt.database.native.command(command))
    const attempts = {
      'a conflict': () => people().create({ ...asha, city: 'Nagpur' }),
      'a conflict in many': () => people().createMany([{ ...asha, city: 'Nagpur' }]),
      'a conflict in a change': () => people().update(other._id, { email: asha.email }),
      'a refusal by the validator': () => people().update(other._id, { badge: change.inc(-5), city: 'Nagpur' }),
      'a refusal in bulk': () =>
        people().bulk([{ update: other._id, changes: { badge: change.inc(-5), city: 'Nagpur' } }]),
      'a wrong type': () => raw({ update: 'people', updates: [{ q: { city: 'Delhi' }, u: { $inc: { city: 5 } } }] }),
      'a query that cannot be planned': () =>
        raw({ find: 'people', filter: { city: 'Nagpur', $text: { $search: 'Delhi' } } }),
      'an unknown operator': () => raw({ find: 'people', filter: { city: { $nonsense: 'Nagpur' } } }),
      'a path that is not there': () =>
        raw({
          update: 'people',
          updates: [{ q: { city: 'Delhi' }, u: { $set: { 'notes.x': 'Nagpur' } } }],
        }),
    }
    for (const [what, attempt] of Object.entries(attempts)) {
      const error = await errorOf((async () => attempt())())
      if (error instanceof DatabaseError) {
        const cause = error.cause as Error
        expect({ what, name: cause.name }).toEqual({ what, name: expect.stringMatching(/^Mongo/) })
        expect(cause.stack).toMatch(/^Mongo.+\n +at /)
        expect({ what, shown: /Nagpur|ravi@example|Delhi/.exec(everythingOf(cause))?.[0] }).toEqual({
          what,
          shown: undefined,
        })
      } else expect({ what, error }).toMatchObject({ error: undefined })
    }
  })

  it('is a conflict with the fields and values that are taken, of several fields too', async () => {
    await people().create(asha)
    const attempt = people().create({ ...asha, email: 'other@example.org' })
    await expect(attempt).rejects.toMatchObject({
      message: 'There is already a person with city "Pune", badge 7',
      fields: ['city', 'badge'],
      values: { city: 'Pune', badge: 7 },
    })
  })

  it('is ours where data cannot be stored at all', async () => {
    const tooLarge = await errorOf(people().create({ ...asha, blob: 'x'.repeat(17 * 1024 * 1024) }))
    expect(tooLarge).toBeInstanceOf(DatabaseError)
    expect(everythingOf(tooLarge)).not.toContain('xxxxxxxxxx')
    const manyTooLarge = await errorOf(people().createMany([{ ...asha, blob: 'x'.repeat(17 * 1024 * 1024) }]))
    expect(manyTooLarge).toBeInstanceOf(DatabaseError)
  })

  it("is the host's own where that was thrown by the host", async () => {
    const own = new TypeError('mine')
    expect(translateError(own)).toBe(own)
    expect(translateError('a text')).toBe('a text')
    await expect(
      volt.transaction(async () => {
        throw own
      }),
    ).rejects.toBe(own)
  })

  it('keeps the labels by which operations are repeated', () => {
    const error = new MongoServerError({ message: 'x', errorLabels: ['TransientTransactionError'] })
    const translated = translateError(error)
    expect(hasErrorLabel(translated, 'TransientTransactionError')).toBe(true)
    expect(hasErrorLabel(translated, 'RetryableWriteError')).toBe(false)
    expect(translated).toMatchObject({ retryable: true })
    expect(hasErrorLabel(new Error('x'), 'RetryableWriteError')).toBe(false)
    expect(hasErrorLabel(undefined, 'RetryableWriteError')).toBe(false)
  })
})

describe('another copy of the driver, such as a host may have beside Mongoose', () => {
  /** The driver and its BSON loaded a second time: the same code, other classes. */
  function secondCopy(): typeof import('mongodb') {
    const require = createRequire(import.meta.url)
    const kept = Object.entries(require.cache).filter(([path]) => /node_modules\/(mongodb|bson)\//.test(path))
    for (const [path] of kept) delete require.cache[path]
    try {
      return require('mongodb')
    } finally {
      for (const [path, module] of kept) require.cache[path] = module
    }
  }

  it('is understood: its errors', () => {
    const copy = secondCopy()
    const error = new copy.MongoServerError({
      message: 'E11000 dup',
      code: 11000,
      keyPattern: { email: 1 },
      keyValue: { email: 'x' },
    })
    expect(error).not.toBeInstanceOf(MongoServerError)
    expect(translateError(error)).toMatchObject({ name: 'ConflictError', fields: ['email'] })
    const network = new copy.MongoNetworkError('connection closed')
    expect(translateError(network)).toBeInstanceOf(DatabaseConnectionError)
  })

  it('is understood: its ids', async () => {
    const copy = secondCopy()
    const { _id } = await people().create({ ...asha, _id: new copy.ObjectId() as never })
    expect(_id).toBeInstanceOf(ObjectId)
    expect(await people().get(new copy.ObjectId(_id.toHexString()) as never)).toMatchObject({ _id })
  })
})

describe('validateData()', () => {
  const schema = z.strictObject({ name: z.string().min(2), tags: z.array(z.strictObject({ id: z.int() })).default([]) })

  it('gives the data as the schema makes them', () => {
    expect(validateData(schema, { name: 'ab' })).toEqual({ name: 'ab', tags: [] })
  })

  it.each<readonly [unknown, readonly object[]]>([
    [undefined, [{ path: '', received: 'undefined' }]],
    [null, [{ path: '', received: 'null' }]],
    [[], [{ path: '', received: 'array' }]],
    [{ name: 'a' }, [{ path: 'name', received: 'string' }]],
    [{ name: new Date() }, [{ path: 'name', received: 'date' }]],
    [{ name: new Date(Number.NaN) }, [{ path: 'name', received: 'invalid date' }]],
    [{ name: new ObjectId() }, [{ path: 'name', received: 'ObjectId' }]],
    [{ name: 'ab', tags: [{ id: Number.NaN }] }, [{ path: 'tags.0.id', received: 'NaN' }]],
    [
      { name: 'ab', tags: [{ id: 1, x: 1n }, 5] },
      [{ path: 'tags.0.x', message: 'is not a field', received: 'bigint' }, { path: 'tags.1' }],
    ],
    [{ name: 'ab', a: 1, b: 2 }, [{ path: 'a' }, { path: 'b' }]],
    [JSON.parse('{ "name": "ab", "__proto__": 1 }'), [{ path: '__proto__', received: 'number' }]],
  ])('names path, message and type of what is wrong with %o', (data, issues) => {
    expect(() => validateData(schema, data, 'The request')).toThrow(
      expect.objectContaining({
        issues: issues.map((issue) => expect.objectContaining(issue)),
        message: expect.stringMatching(/^The request is not valid: /),
      }),
    )
  })
})
