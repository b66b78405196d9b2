import { describe, expect, it } from 'vitest'
import { aClassroom, aUser } from '../../support/builders.js'
import { setUpDatabase, type TestDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { thingEntity } from '../support/thing.js'

/** A database as the library has left it while a deleted document's date was among the keys of unique indexes. */
async function databaseOfBefore(): Promise<TestDatabase> {
  const own = setUpDatabase()
  const volt = await openVolt(own, { hostEntities: [thingEntity] })
  await volt.setup()
  const former = [
    ['users', 'email'],
    ['classrooms', 'name'],
    ['devices', 'macAddress'],
    ['devices', 'switches._id'],
    ['things', 'code'],
  ] as const
  for (const [collection, field] of former) {
    await own.db.collection(collection).dropIndex(`${field}_1`)
    const partial = field === 'switches._id' ? { partialFilterExpression: { 'switches._id': { $exists: true } } } : {}
    await own.db.collection(collection).createIndex({ [field]: 1, deletedAt: 1 }, { unique: true, ...partial })
  }
  return own
}

const namesOf = async ({ db }: TestDatabase, collection: string) =>
  (await db.collection(collection).indexes()).map(({ name }) => name)

describe('unique indexes with the date of deletion among their keys', () => {
  it('give way to those of the living, and are named in a dry run', async () => {
    const own = await databaseOfBefore()
    const volt = await openVolt(own, { hostEntities: [thingEntity] })
    const dry = await volt.setup({ dryRun: true })
    expect(dry).toMatchObject({ isComplete: false, obstacles: [] })
    expect(dry.collections.find(({ collection }) => collection === 'devices')).toMatchObject({
      state: 'different',
      indexes: {
        missing: ['macAddress_1', 'switches._id_1'],
        superseded: ['macAddress_1_deletedAt_1', 'switches._id_1_deletedAt_1'],
        extra: [],
      },
    })
    expect(await namesOf(own, 'users')).toContain('email_1_deletedAt_1')

    await volt.setup()
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
    for (const collection of ['users', 'classrooms', 'devices', 'things']) {
      const unique = (await own.db.collection(collection).indexes()).filter((index) => index.unique)
      expect(unique.length).toBeGreaterThan(0)
      for (const { key, partialFilterExpression } of unique) {
        expect(Object.keys(key)).not.toContain('deletedAt')
        expect(partialFilterExpression).toMatchObject({ deletedAt: null })
      }
    }
  })

  it('are kept until the new ones are there: at no moment can a living value be taken twice', async () => {
    const own = await databaseOfBefore()
    const volt = await openVolt(own, { hostEntities: [thingEntity] })
    const user = aUser()
    await volt.users.create(user)
    const attempts = { conflicts: 0 }
    let isDone = false
    const trying = (async () => {
      while (!isDone) {
        const error = await volt.users.create(user).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'CONFLICT' })
        attempts.conflicts += 1
      }
    })()
    await volt.setup()
    isDone = true
    await trying
    expect(attempts.conflicts).toBeGreaterThan(0)
    expect(await volt.users.count()).toBe(1)
  })

  it('go also where a setup() was cut off after it had built the new ones', async () => {
    const own = await databaseOfBefore()
    await own.db
      .collection('users')
      .createIndex({ email: 1 }, { unique: true, partialFilterExpression: { deletedAt: null } })
    const volt = await openVolt(own, { hostEntities: [thingEntity] })
    const ofUsers = (await volt.setup()).collections.find(({ collection }) => collection === 'users')
    expect(ofUsers?.indexes).toMatchObject({ missing: [], superseded: ['email_1_deletedAt_1'] })
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('are set right by several processes at once', async () => {
    const own = await databaseOfBefore()
    const volts = await Promise.all(Array.from({ length: 4 }, () => openVolt(own, { hostEntities: [thingEntity] })))
    await Promise.all(volts.map((volt) => volt.setup()))
    expect(await volts[0]?.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })
})

describe('a unique index of the same field that a host has made', () => {
  it('becomes one of the living, under whatever name', async () => {
    const own = testDatabase()
    await own.db.collection('users').createIndex({ email: 1 }, { unique: true })
    await own.db.collection('classrooms').createIndex({ name: 1 }, { unique: true, name: 'by_name' })
    const volt = await openVolt(own)
    await volt.setup()
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
    for (let round = 0; round < 2; round += 1) {
      await volt.users.delete((await volt.users.create(aUser({ email: 'a@example.org' })))._id)
      await volt.classrooms.delete((await volt.classrooms.create(aClassroom({ name: 'R' })))._id)
    }
    await own.db.collection('users').deleteMany({})
    const later = await own.db.collection('users').createIndex({ email: 1 }, { unique: true, name: 'later' })
    expect((await volt.setup()).collections[0]?.indexes.superseded).toEqual([later])
    expect(await namesOf(own, 'users')).not.toContain(later)
  })
})
