import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { Repository } from '../../../src/core/repository/repository.js'
import { chosenEntities } from '../../../src/domains.js'
import { aClassroom, aDevice, aUser } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aThing, setUpThings, type Things, thingEntity } from '../support/thing.js'

const database = setUpDatabase()
/** A clock that stands: all that happens, happens in one millisecond. */
const clock = { now: () => new Date('2026-11-29T10:00:00.000Z') }
let volt: AutoVolt
let things: Things

beforeAll(async () => {
  volt = await openVolt(database, { clock, hostEntities: [thingEntity] })
  things = await setUpThings(volt)
})
beforeEach(async () => {
  for (const name of ['things', 'users', 'devices', 'classrooms']) await database.db.collection(name).deleteMany({})
})

type Anything = Repository<never, object>
const repositories: Readonly<Record<string, () => { repository: Anything; input: object }>> = {
  thing: () => ({ repository: things as never, input: aThing() }),
  user: () => ({ repository: volt.users as never, input: aUser() }),
  classroom: () => ({ repository: volt.classrooms as never, input: aClassroom() }),
  device: () => ({ repository: volt.devices as never, input: aDevice() }),
}

describe('a deleted document frees its values', () => {
  it('of every entity of the library that is soft-deleted', () => {
    const softDeleted = Object.values(chosenEntities({})).filter((entity) => entity.softDelete)
    expect(softDeleted.map(({ name }) => name).sort()).toEqual(['classroom', 'device', 'user'])
    for (const { indexes } of softDeleted) {
      for (const { partialFilterExpression } of indexes.filter(({ unique }) => unique)) {
        expect(partialFilterExpression).toMatchObject({ deletedAt: null })
      }
    }
  })

  it.each(Object.keys(repositories))('however often in one millisecond: %s', async (name) => {
    const { repository, input } = repositories[name]?.() ?? expect.fail()
    for (let round = 0; round < 4; round += 1) {
      const { _id } = await repository.create(input)
      await expect(repository.create(input)).rejects.toMatchObject({ code: 'CONFLICT' })
      await repository.delete(_id)
    }
    expect(await repository.count(undefined, { withDeleted: true })).toBe(4)
  })

  it('by bulk() and the model, too', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { created } = await things.bulk([{ create: { code: 'bulk' } }])
      await things.bulk([{ delete: created[0] ?? '' }])
      const document = await new things.model({ code: 'saved' }).save()
      document.set('deletedAt', clock.now())
      await document.save()
      await things.create({ code: 'many' })
      await things.model.updateMany({ code: 'many', deletedAt: null }, { deletedAt: clock.now() })
    }
    expect(await things.count({}, { withDeleted: true })).toBe(9)
  })
})

describe('among the living a value is unique', () => {
  it('to restore(), which says what is taken', async () => {
    const [one, other] = [
      await things.create({ code: 'a' }),
      await volt.users.create(aUser({ email: 'a@example.org' })),
    ]
    await things.delete(one._id)
    await volt.users.delete(other._id)
    await things.create({ code: 'a' })
    await volt.users.create(aUser({ email: 'a@example.org' }))
    await expect(things.restore(one._id)).rejects.toMatchObject({ code: 'CONFLICT', values: { code: 'a' } })
    await expect(volt.users.restore(other._id)).rejects.toMatchObject({ fields: ['email'] })
  })

  it('of several deleted ones, to the second that is restored', async () => {
    const ids = []
    for (let round = 0; round < 3; round += 1) {
      const { _id } = await things.create({ code: 'a' })
      await things.delete(_id)
      ids.push(_id)
    }
    await things.restore(ids[1] ?? '')
    await expect(things.restore(ids[0] ?? '')).rejects.toMatchObject({ code: 'CONFLICT', fields: ['code'] })
  })

  it('to update(), bulk() and upsert()', async () => {
    await things.create({ code: 'a' })
    const { _id } = await things.create({ code: 'b' })
    await expect(things.update(_id, { code: 'a' })).rejects.toMatchObject({ fields: ['code'] })
    await expect(things.bulk([{ update: _id, changes: { code: 'a' } }])).rejects.toMatchObject({ fields: ['code'] })
    await expect(things.createMany([aThing(), { code: 'a' }])).rejects.toMatchObject({ fields: ['code'] })
    await things.delete(_id)
    expect(await things.upsert({ code: 'b' }, { code: 'b', rank: 2 })).toMatchObject({ rank: 2, __v: 0 })
    expect(await things.upsert({ code: 'b' }, { code: 'b', rank: 3 })).toMatchObject({ rank: 3, __v: 1 })
    expect(await things.count({ code: 'b' })).toBe(1)
  })

  it('to many upserts at once, after a deletion', async () => {
    const { _id } = await things.create({ code: 'a' })
    await things.delete(_id)
    const upserts = Array.from({ length: 20 }, (_, rank) => things.upsert({ code: 'a' }, { code: 'a', rank }))
    expect(new Set((await Promise.all(upserts)).map((thing) => thing._id.toHexString())).size).toBe(1)
    expect(await things.count({ code: 'a' })).toBe(1)
  })

  it('to the model and to what comes past the library', async () => {
    const { _id } = await things.create({ code: 'a' })
    await things.delete(_id)
    await things.create({ code: 'a' })
    const document = await things.model.findById(_id)
    document?.set('deletedAt', null)
    await expect(document?.save()).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(things.model.updateMany({}, { deletedAt: null })).rejects.toMatchObject({ code: 'CONFLICT' })
    const raw = database.db.collection('things')
    for (const change of [{ $set: { deletedAt: null } }, [{ $set: { deletedAt: null } }]]) {
      await expect(raw.updateOne({ _id }, change)).rejects.toMatchObject({ code: 11000 })
    }
  })

  it('where the mark of deletion is absent, as in documents from before the library', async () => {
    const raw = database.db.collection('things')
    const document = { code: 'old', tags: [], parts: [], createdAt: new Date(), updatedAt: new Date(), __v: 0 }
    await raw.insertOne(document, { bypassDocumentValidation: true })
    await expect(things.create({ code: 'old' })).rejects.toMatchObject({ fields: ['code'] })
    await things.delete((await things.findOne({ code: 'old' }))?._id ?? '')
    await things.create({ code: 'old' })
  })
})

describe('reading by a unique value', () => {
  it('walks along its index, which holds the living alone', async () => {
    await things.createMany([{ code: 'c' }, { code: 'a' }, { code: 'b' }])
    const first = await things.after({}, { sort: { code: 1 }, limit: 2 })
    const { cursor = null } = { cursor: first.nextCursor }
    const second = await things.after({}, { sort: { code: 1 }, limit: 2, cursor })
    expect([...first.items, ...second.items].map(({ code }) => code)).toEqual(['a', 'b', 'c'])
    await expect(things.after({}, { sort: { code: 1 }, withDeleted: true })).rejects.toMatchObject({
      code: 'UNINDEXED_SORT',
    })
  })

  it('needs no scan', async () => {
    const queries: readonly [string, object][] = [
      ['things', { code: 'a', deletedAt: { $eq: null } }],
      ['devices', { macAddress: { $in: ['AA:BB:CC:DD:EE:01'] }, deletedAt: { $eq: null } }],
      ['devices', { 'switches._id': { $eq: 1 }, deletedAt: null }],
      ['users', { $and: [{ email: 'a@example.org' }, { deletedAt: { $eq: null } }] }],
    ]
    for (const [name, query] of queries) {
      const { queryPlanner } = await database.db.collection(name).find(query).explain('queryPlanner')
      expect(JSON.stringify(queryPlanner.winningPlan)).not.toContain('COLLSCAN')
      expect(JSON.stringify(queryPlanner.winningPlan)).not.toContain('"deletedAt_1__id_1"')
    }
  })
})
