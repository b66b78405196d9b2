import { compareSync, hashSync } from 'bcryptjs'
import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { change } from '../../src/core/repository/changes.js'
import { bcryptHash } from '../../src/identity/passwords/bcrypt-hash.js'
import type { PasswordOptions } from '../../src/identity/passwords/password-options.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const passwords: PasswordOptions = { rounds: 10 }
const password = 'correct horse'
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords })
  await volt.setup()
})

const users = () => database.db.collection('users')
const storedPassword = async (_id: ObjectId): Promise<unknown> => (await users().findOne({ _id }))?.password

/** That nothing but hashes is in the database, whatever was tried. */
async function expectNothingInClear(): Promise<void> {
  const kept = await users().distinct('password')
  expect(kept.filter((value) => !bcryptHash.test(String(value)))).toEqual([])
}

describe('a password', () => {
  type Repository = AutoVolt['users']
  const writes: Record<string, (repository: Repository) => Promise<ObjectId>> = {
    create: async (repository) => (await repository.create(aUser({ password })))._id,
    createMany: async (repository) => (await repository.createMany([aUser(), aUser({ password })]))[1]?._id as ObjectId,
    update: async (repository) => (await repository.update((await repository.create(aUser()))._id, { password }))._id,
    'upsert of a new one': async (repository) => {
      const input = aUser({ password })
      return (await repository.upsert({ email: input.email }, input))._id
    },
    'upsert of a known one': async (repository) => {
      const { _id, email, name } = await repository.create(aUser())
      await repository.upsert({ email }, { email, name, password })
      return _id
    },
    'bulk, creating': async (repository) =>
      (await repository.bulk([{ create: aUser({ password }) }])).created[0] as ObjectId,
    'bulk, updating': async (repository) => {
      const { _id } = await repository.create(aUser())
      await repository.bulk([{ update: _id, changes: { password } }])
      return _id
    },
  }

  it.each(Object.entries(writes))('is hashed by %s', async (_, write) => {
    const _id = await write(volt.users)
    const hash = await storedPassword(_id)
    expect(hash).toMatch(/^\$2b\$10\$/)
    expect(compareSync(password, String(hash))).toBe(true)
    expect(await volt.users.comparePassword(_id, password)).toBe(true)
    expect(await volt.users.comparePassword(_id, 'correct house')).toBe(false)
    await expectNothingInClear()
  })

  it('in clear is refused by the Mongoose model and the server, in every spelling', async () => {
    const { _id } = await volt.users.create(aUser({ password }))
    const { model } = volt.users
    const document = await volt.users.getDocument(_id)
    document.set('password', password)
    const attempts = [
      () => document.save(),
      () => model.create({ ...aUser(), password } as never),
      () => model.insertMany([{ ...aUser(), password }] as never),
      () => model.updateOne({ _id }, { password } as never),
      () => model.updateOne({ _id }, { $set: { password } } as never),
      () => model.updateOne({ _id }, { name: 'Ravi', $set: { password } } as never),
      () => model.updateMany({ _id }, [{ $set: { password } }] as never, { updatePipeline: true } as never),
      () => model.findOneAndUpdate({ _id }, { password } as never),
      () => model.findOneAndUpdate({ email: 'new@example.org' }, { ...aUser(), password } as never, { upsert: true }),
      () => model.replaceOne({ _id }, { ...aUser(), password } as never),
      () => model.bulkWrite([{ updateOne: { filter: { _id }, update: { $set: { password } } } }] as never),
      () => model.bulkWrite([{ insertOne: { document: { ...aUser(), password } } }] as never),
      () => users().updateOne({ _id }, { $set: { password } }),
      () => users().updateOne({ _id }, { $set: { password: hashSync(password, 4).replace('$04$', '$16$') } }),
    ]
    for (const [index, attempt] of attempts.entries()) {
      const error = await attempt().then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      )
      expect(error, `attempt ${index}`).toBeInstanceOf(Error)
      if (index < attempts.length - 2)
        expect(JSON.stringify([error, error?.message, error?.cause])).not.toContain(password)
    }
    expect(await volt.users.comparePassword(_id, password)).toBe(true)
    await expectNothingInClear()
  })

  it('is never read again, nor its hash', async () => {
    const created = await volt.users.create(aUser({ password }))
    const { _id } = created
    const watched = await volt.users.watch({ _id })
    const change = watched.next()
    const shown = [
      created,
      await volt.users.update(_id, { name: 'Ravi', password: 'another one' }),
      await volt.users.get(_id),
      await volt.users.find({ _id }),
      await volt.users.page({ _id }),
      await volt.users.after({ _id }),
      (await volt.users.getDocument(_id)).toObject(),
      await volt.users.model.find({ _id }).lean(),
      await volt.users.model.aggregate([{ $match: { _id } }]),
      volt.users.toSafeObject(created),
      await change,
    ]
    expect(JSON.stringify(shown)).not.toMatch(/password|\$2b\$/)
    await expect(volt.users.find({}, { select: ['password' as never] })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.users.find({ password: 'another one' } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.users.find({}, { sort: { password: 1 } as never })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.users.revealSecret(_id, 'password')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is in no JSON of a document of the model, also where its hash was selected by name', async () => {
    const { _id } = await volt.users.create(aUser({ password, profile: { phone: '1' } }))
    const [document] = await volt.users.model.find({ _id }).select('+password')
    expect(JSON.parse(JSON.stringify(document))).toEqual(JSON.parse(JSON.stringify(await volt.users.getDocument(_id))))
    expect(JSON.stringify([document, { document }])).not.toMatch(/password|\$2b\$/)
    document?.set('name', 'Ravi')
    await document?.save()
    expect(await volt.users.comparePassword(_id, password)).toBe(true)
  })

  it('can be taken away', async () => {
    const { _id } = await volt.users.create(aUser({ password }))
    await volt.users.update(_id, { password: change.unset() })
    expect(await storedPassword(_id)).toBeUndefined()
    expect(await volt.users.comparePassword(_id, password)).toBe(false)
  })

  it.each([
    ['seven characters', '1234567'],
    ['seven characters of two units each', '🔑'.repeat(7)],
    ['73 bytes', 'a'.repeat(73)],
    ['37 characters of two bytes', 'é'.repeat(37)],
    ['a NUL', 'correct\0horse'],
    ['half a surrogate pair', 'correct\ud83d horse'],
    ['a hash', hashSync(password, 4)],
    ['an operator', { $ne: '' }],
    ['a number', 12345678],
  ])('is not %s', async (_, refused) => {
    const error = await volt.users.create(aUser({ password: refused as string })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'VALIDATION', issues: [{ path: 'password' }] })
    expect(JSON.stringify(error)).not.toContain(JSON.stringify(refused))
  })

  it.each(['🔑'.repeat(8), 'a'.repeat(72), '  spaces stay  ', 'ﬁfteen ligatures'])(
    'may be %j, exactly so',
    async (text) => {
      const { _id } = await volt.users.create(aUser({ password: text }))
      expect(await volt.users.comparePassword(_id, text)).toBe(true)
      expect(await volt.users.comparePassword(_id, text.trim().normalize('NFKC'))).toBe(
        text.trim().normalize('NFKC') === text,
      )
      expect(await volt.users.comparePassword(_id, `${text}a`)).toBe(false)
    },
  )

  it('is longer, or not among known ones, where the host says so', async () => {
    const strict = await openVolt(database, {
      passwords: { ...passwords, minimumLength: 15, isBlocked: async (text) => text.startsWith('campus') },
    })
    await expect(strict.users.create(aUser({ password }))).rejects.toMatchObject({
      issues: [{ path: 'password', message: 'expected at least 15 characters' }],
    })
    await expect(strict.users.create(aUser({ password: 'campus-of-energy-2026' }))).rejects.toMatchObject({
      issues: [{ path: 'password', message: 'is too well known to be used' }],
    })
    await strict.users.create(aUser({ password: 'correct horse battery' }))
  })
})

describe('hashes of other systems', () => {
  it.each(['$2a$', '$2b$', '$2y$'])('with %s verify', async (kind) => {
    const { _id } = await volt.users.create(aUser())
    await volt.users.setPasswordHash(_id, hashSync('old one', 6).replace('$2b$', kind))
    expect(await volt.users.comparePassword(_id, 'old one')).toBe(true)
    expect(await volt.users.comparePassword(_id, 'new one')).toBe(false)
  })

  it.each([
    '',
    'old one',
    hashSync('old one', 4).slice(1),
    hashSync('x', 4).replace('$04$', '$31$'),
    hashSync('x', 4).replace('$2b$', '$2x$'),
  ])('are not %j', async (hash) => {
    const { _id } = await volt.users.create(aUser())
    await expect(volt.users.setPasswordHash(_id, hash)).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})

describe('the queue of hashes', () => {
  it('is bounded: more are refused at once, with a time to come back', async () => {
    const narrow = await openVolt(database, { passwords: { ...passwords, maximumWaiting: 2 } })
    const { _id } = await narrow.users.create(aUser({ password }))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () => narrow.users.comparePassword(_id, password)),
    )
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    // One runs, two wait.
    expect(refused).toHaveLength(3)
    for (const error of refused) {
      expect(error).toMatchObject({ name: 'BusyError', code: 'BUSY', retryable: true })
      expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0)
    }
    expect(await narrow.users.comparePassword(_id, password)).toBe(true)
  })

  it('leaves the event loop free: health answers while hashes are under way', async () => {
    const { _id } = await volt.users.create(aUser({ password }))
    let ended = 0
    const comparisons = Array.from({ length: 20 }, () =>
      volt.users.comparePassword(_id, password).then((isRight) => {
        ended += 1
        return isRight
      }),
    )
    expect(await volt.health()).toMatchObject({ status: 'up' })
    expect(ended).toBeLessThan(20)
    expect(await Promise.all(comparisons)).toEqual(Array.from({ length: 20 }, () => true))
  })

  it('ends with the handle: what waits is refused', async () => {
    const closing = await openVolt(setUpDatabase(), { passwords })
    await closing.setup()
    const { _id } = await closing.users.create(aUser({ password }))
    const comparisons = Array.from({ length: 3 }, () => closing.users.comparePassword(_id, password))
    const outcomes = Promise.allSettled(comparisons)
    // They have read the hashes by then.
    await closing.users.count()
    await closing.close()
    for (const outcome of await outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'CLOSED' })
    }
  })

  it.each([
    { rounds: 9 },
    { rounds: 16 },
    { rounds: 10.5 },
    { minimumLength: 7 },
    { maximumWaiting: 0 },
    { isBlocked: true },
  ])('cannot be made with %j', async (options) => {
    const { uri, dbName } = database
    await expect(AutoVolt.open({ uri, dbName, passwords: options as PasswordOptions })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
  })
})
