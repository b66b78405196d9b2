import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { ConflictError, NotFoundError } from '../../../src/core/errors.js'
import { type Changes, change } from '../../../src/core/repository/changes.js'
import { where } from '../../../src/core/repository/conditions.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aThing, setUpThings, type Thing, type ThingInput, type Things, thingEntity } from '../support/thing.js'

const database = setUpDatabase()
const collection = database.db.collection('things')
let volt: AutoVolt
let things: Things

beforeAll(async () => {
  volt = await openVolt(database, { hostEntities: [thingEntity] })
  things = await setUpThings(volt)
})
beforeEach(async () => {
  await collection.deleteMany({})
})

describe('update()', () => {
  it('sets fields, counts the version up and gives back the document as it is then', async () => {
    const { _id, createdAt } = await things.create(aThing({ code: 'a', rank: 1, label: 'old' }))
    const updated = await things.update(_id.toHexString(), { label: 'new', owner: '65f000000000000000000000' })
    expect(updated).toMatchObject({
      _id,
      rank: 1,
      label: 'new',
      owner: new ObjectId('65f000000000000000000000'),
      __v: 1,
    })
    expect(updated.createdAt).toEqual(createdAt)
    expect(updated.updatedAt.getTime()).toBeGreaterThanOrEqual(createdAt.getTime())
    expect(await things.get(_id)).toEqual(updated)
  })

  it('removes a field', async () => {
    const { _id } = await things.create(aThing({ label: 'old' }))
    expect(await things.update(_id, { label: change.unset() })).not.toHaveProperty('label')
    expect(await collection.findOne({ _id })).not.toHaveProperty('label')
  })

  it('removes a secret', async () => {
    const { _id } = await things.create(aThing({ secret: 'hidden' }))
    await things.update(_id, { secret: change.unset() })
    await expect(things.revealSecret(_id, 'secret')).rejects.toBeInstanceOf(NotFoundError)
  })

  const partId = new ObjectId()
  const cases: readonly (readonly [what: string, changes: Changes<Thing, ThingInput>, expected: object])[] = [
    ['inc', { rank: change.inc(2) }, { rank: 12 }],
    ['inc of what is absent', { weight: change.inc(-0.5) }, { weight: -0.5 }],
    ['mul', { rank: change.mul(3) }, { rank: 30 }],
    ['min', { rank: change.min(5) }, { rank: 5 }],
    ['min of what is less', { rank: change.min(50) }, { rank: 10 }],
    ['max', { rank: change.max(50) }, { rank: 50 }],
    ['max of dates', { at: change.max(new Date('2027-01-01')) }, { at: new Date('2027-01-01') }],
    ['push', { tags: change.push('z') }, { tags: ['x', 'y', 'z'] }],
    [
      'push of an object, defaults filled in',
      { parts: change.push({ name: 'nut', count: 1 } as never) },
      {
        parts: [{ _id: partId }, { _id: expect.any(ObjectId), name: 'nut', count: 1 }],
      },
    ],
    ['addToSet of what is there', { tags: change.addToSet('x') }, { tags: ['x', 'y'] }],
    ['addToSet of what is new', { tags: change.addToSet('z') }, { tags: ['x', 'y', 'z'] }],
    ['pull', { tags: change.pull('x') }, { tags: ['y'] }],
    ['pull of objects by some of their fields', { parts: change.pull({ name: 'bolt' }) }, { parts: [] }],
    ['pull of objects by their id', { parts: change.pull({ _id: partId }) }, { parts: [] }],
    ['a path into an object', { 'size.width': 7 }, { size: { width: 7, height: 1 } }],
    ['an operator on a path', { 'size.width': change.inc(1) }, { size: { width: 3, height: 1 } }],
    ['unset of a path', { 'size.height': change.unset() }, { size: { width: 2 } }],
    ['a path into an item of a list', { 'parts.0.count': 9 }, { parts: [{ _id: partId, name: 'bolt', count: 9 }] }],
    ['an operator on an item of a list', { 'parts.0.count': change.inc(2) }, { parts: [{ count: 5 }] }],
    ['a whole item of a list', { 'tags.1': 'Y' }, { tags: ['x', 'Y'] }],
    ['several at once', { rank: change.inc(1), label: 'new', tags: change.push('z') }, { rank: 11, label: 'new' }],
    ['null where it is allowed', { weight: null }, { weight: null }],
  ]

  it.each(cases)('changes by %s', async (_, changes, expected) => {
    const parts = [{ _id: partId, name: 'bolt', count: 3 }]
    const input = { rank: 10, label: 'old', at: new Date(0), tags: ['x', 'y'], parts, size: { width: 2, height: 1 } }
    const { _id } = await things.create(aThing(input))
    const updated = await things.update(_id, changes)
    expect(updated).toMatchObject({ ...expected, __v: 1 })
    expect(await things.get(_id)).toEqual(updated)
  })

  const refused: readonly (readonly [what: string, changes: object, path: string])[] = [
    ['nothing', {}, ''],
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['an unknown field inside', { 'size.depth': 1 }, 'size.depth'],
    ['a path through a list without a place', { 'parts.count': 1 }, 'parts.count'],
    ['a place that is no number', { 'parts.x.count': 1 }, 'parts.x.count'],
    ['a path into a text', { 'code.0': 'x' }, 'code.0'],
    ['a bad value', { rank: 'high' }, 'rank'],
    ['a bad value inside', { size: { width: 'wide' } }, 'size.width'],
    ['a bad value in a list', { 'parts.0': { name: 'x', count: -1 } }, 'parts.0.count'],
    ['undefined', { label: undefined }, 'label'],
    ['the id', { _id: new ObjectId() }, '_id'],
    ['the version', { __v: 5 }, '__v'],
    ['the time of creation', { createdAt: new Date() }, 'createdAt'],
    ['the mark of deletion', { deletedAt: new Date() }, 'deletedAt'],
    ['an operator of MongoDB', { $set: { rank: 1 } }, '$set'],
    ['an operator as value', { label: { $gt: '' } }, 'label'],
    ['an operator in a record', { labels: JSON.parse('{ "$where": "x" }') }, 'labels.$where'],
    ['a prototype key', JSON.parse('{ "__proto__": { "rank": 1 } }'), '__proto__'],
    ['constructor', { constructor: 1 }, 'constructor'],
    ['removing what is required', { code: change.unset() }, 'code'],
    ['removing what has a default', { tags: change.unset() }, 'tags'],
    ['adding to a text', { code: change.inc(1) }, 'code'],
    ['adding no number', { rank: change.inc('1' as never) }, 'rank'],
    ['adding NaN', { rank: change.inc(Number.NaN) }, 'rank'],
    ['pushing to what is no list', { rank: change.push(1 as never) }, 'rank'],
    ['pushing a bad item', { parts: change.push({ name: 'x' } as never) }, 'parts.count'],
    ['pulling by an operator', { parts: change.pull({ count: { $gt: 0 } } as never) }, 'parts.count'],
    ['pulling by an unknown field', { parts: change.pull({ colour: 1 } as never) }, 'parts.colour'],
    ['a change that was only parsed', { rank: { operator: '$inc', operand: 1 } }, 'rank'],
    ['a field and a part of it at once', { size: { width: 1 }, 'size.width': 2 }, 'size'],
    ['comparing a secret', { secret: change.min('a' as never) }, 'secret'],
    ['adding to a secret', { secret: change.push('a' as never) }, 'secret'],
    ['a bad secret', { secret: 'x' }, 'secret'],
    ['a path into a secret', { 'secret.x': 'abc' }, 'secret.x'],
  ]

  it.each(refused)('refuses %s', async (_, changes, path) => {
    const { _id } = await things.create(aThing({ rank: 1, secret: 'hidden', parts: [{ name: 'bolt', count: 1 }] }))
    const before = await collection.findOne({ _id })
    const attempt = things.update(_id, changes as Changes<Thing, ThingInput>)
    await expect(attempt).rejects.toMatchObject({
      name: 'ValidationError',
      issues: expect.arrayContaining([expect.objectContaining({ path })]),
    })
    expect(await collection.findOne({ _id })).toEqual(before)
  })

  it.each<readonly [string, Changes<Thing, ThingInput>, string]>([
    ['a rule across fields', { 'size.height': 9 }, 'size.height'],
    ['a result out of range', { 'parts.0.count': change.inc(-9) }, 'parts.0.count'],
    ['a result that is no whole number', { rank: change.mul(0.3) }, 'rank'],
    ['a result that is not finite', { weight: change.mul(1e308) }, 'weight'],
    ['a list that becomes too long', { parts: change.push({ name: 'x', count: 1 } as never) }, 'parts'],
  ])('learns from the server of %s, with its path', async (_, changes, path) => {
    const parts = Array.from({ length: 5 }, () => ({ name: 'bolt', count: 1 }))
    const { _id } = await things.create(aThing({ size: { width: 2.5 }, rank: 1, weight: 1e300, parts }))
    await expect(things.update(_id, changes)).rejects.toMatchObject({ name: 'ValidationError', issues: [{ path }] })
    expect(await things.get(_id)).toMatchObject({ __v: 0 })
  })

  it('fails where there is no such document', async () => {
    await expect(things.update(new ObjectId(), { rank: 1 })).rejects.toBeInstanceOf(NotFoundError)
    const { _id } = await things.create(aThing())
    await things.delete(_id)
    await expect(things.update(_id, { rank: 1 })).rejects.toBeInstanceOf(NotFoundError)
  })

  it('names what is taken', async () => {
    await things.create(aThing({ code: 'taken' }))
    const { _id } = await things.create(aThing())
    await expect(things.update(_id, { code: 'taken' })).rejects.toMatchObject({
      fields: ['code'],
      values: { code: 'taken' },
    })
  })

  it('lets one of twenty who changed the same version through', async () => {
    const { _id } = await things.create(aThing({ rank: 0 }))
    const attempts = Array.from({ length: 20 }, (_, rank) => things.update(_id, { rank }, { version: 0 }))
    const outcomes = await Promise.allSettled(attempts)
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason)
    expect(refusals).toHaveLength(19)
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(ConflictError)
      expect(refusal).toMatchObject({
        code: 'STALE_VERSION',
        message: `The thing ${_id.toHexString()} is not at version 0 any more`,
        fields: [],
      })
    }
    expect((await things.get(_id)).__v).toBe(1)
  })

  it('loses no change where twenty try until they are through', async () => {
    const { _id } = await things.create(aThing({ rank: 0 }))
    const addOne = async (): Promise<void> => {
      const { rank = 0, __v } = await things.get(_id)
      await things.update(_id, { rank: rank + 1 }, { version: __v }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'STALE_VERSION' })
        return addOne()
      })
    }
    await Promise.all(Array.from({ length: 20 }, addOne))
    expect(await things.get(_id)).toMatchObject({ rank: 20, __v: 20 })
  })

  it('is typed', () => {
    const bad: readonly Changes<Thing, ThingInput>[] = [
      // @ts-expect-error a text is no number
      { rank: 'high' },
      // @ts-expect-error no such field
      { colour: 'red' },
      // @ts-expect-error a number is not added to a text
      { label: change.inc(1) },
      // @ts-expect-error a text is not pushed to a number
      { rank: change.push('x') },
      // @ts-expect-error another type inside
      { 'size.width': 'wide' },
      // @ts-expect-error no such field inside
      { 'size.depth': 1 },
      // @ts-expect-error another type in an item of a list
      { 'parts.0.count': 'many' },
      // @ts-expect-error the library's own
      { __v: 1 },
      // @ts-expect-error a look-alike
      { label: { operator: '$unset', operand: '' } },
    ]
    expect(bad).toHaveLength(9)
  })
})

describe('upsert()', () => {
  it('creates what is not there, as create() would', async () => {
    const created = await things.upsert({ code: 'a' }, { code: 'a', rank: 1 })
    expect(created).toMatchObject({ code: 'a', rank: 1, tags: [], deletedAt: null, __v: 0 })
    expect(created.updatedAt).toEqual(created.createdAt)
    expect(await collection.findOne()).toEqual(created)
  })

  it('changes what is there: what is given, and nothing else', async () => {
    const before = await things.create(aThing({ code: 'a', rank: 1, label: 'kept', tags: ['kept'] }))
    const after = await things.upsert({ code: 'a' }, { code: 'a', rank: 2 })
    expect(after).toEqual({ ...before, rank: 2, __v: 1, updatedAt: expect.any(Date) })
    expect(await things.count()).toBe(1)
  })

  it('takes texts with dollars for texts', async () => {
    const input = { code: '$rank', label: '$$NOW', labels: { a: '$code' }, tags: ['$code'] }
    expect(await things.upsert({ code: '$rank' }, input)).toMatchObject(input)
    expect(await things.upsert({ code: '$rank' }, { ...input, label: '$tags' })).toMatchObject({ label: '$tags' })
  })

  it('finds by id, and creates under it', async () => {
    const _id = new ObjectId()
    expect(await things.upsert({ _id }, { code: 'a' })).toMatchObject({ _id, __v: 0 })
    expect(await things.upsert({ _id: _id.toHexString() as never }, { code: 'b' })).toMatchObject({
      _id,
      code: 'b',
      __v: 1,
    })
  })

  it('passes over the deleted', async () => {
    const { _id } = await things.create(aThing({ code: 'a' }))
    await things.delete(_id)
    expect((await things.upsert({ code: 'a' }, { code: 'a' }))._id).not.toEqual(_id)
  })

  it('seals a secret for the document that it ends up in, whether new or old', async () => {
    const { _id } = await things.upsert({ code: 'a' }, { code: 'a', secret: 'first' })
    expect(await things.revealSecret(_id, 'secret')).toBe('first')
    const changed = await things.upsert({ code: 'a' }, { code: 'a', rank: 3, secret: 'second' })
    expect(changed).toMatchObject({ _id, rank: 3, __v: 1 })
    expect(changed).not.toHaveProperty('secret')
    expect(await things.revealSecret(_id, 'secret')).toBe('second')
    await things.upsert({ code: 'a' }, { code: 'a' })
    expect(await things.revealSecret(_id, 'secret')).toBe('second')
  })

  it('creates one document, whoever calls it at once', async () => {
    for (const secret of [undefined, 'hidden']) {
      await collection.deleteMany({})
      const calls = Array.from({ length: 20 }, (_, rank) => things.upsert({ code: 'a' }, { code: 'a', rank, secret }))
      const ids = new Set((await Promise.all(calls)).map(({ _id }) => _id.toHexString()))
      expect(ids.size).toBe(1)
      expect(await collection.findOne()).toMatchObject({ __v: 19 })
    }
  })

  it('refuses values other than those of the input, and conditions', async () => {
    await expect(things.upsert({ code: 'a' }, { code: 'b' })).rejects.toMatchObject({ issues: [{ path: 'code' }] })
    await expect(things.upsert({ rank: 1 }, { code: 'b' })).rejects.toMatchObject({ issues: [{ path: 'rank' }] })
    await expect(things.upsert({ code: 5 as never }, { code: 'b' })).rejects.toMatchObject({
      issues: [{ path: 'code' }],
    })
  })

  it('refuses a filter that no unique index covers, because two could be created', async () => {
    await expect(things.upsert({ label: 'x' }, { code: 'a', label: 'x' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: 'No unique index of thing covers label, so two upserts at once could create two',
    })
    await expect(things.upsert({}, { code: 'a' })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    expect(await things.upsert({ code: 'a', label: 'x' }, { code: 'a', label: 'x' })).toMatchObject({ label: 'x' })
  })

  it('fails where another unique value is taken', async () => {
    const { _id } = await things.create(aThing({ code: 'taken' }))
    await expect(things.upsert({ _id: new ObjectId() }, { code: 'taken' })).rejects.toMatchObject({ fields: ['code'] })
    expect(await things.upsert({ _id }, { code: 'taken', rank: 1 })).toMatchObject({ rank: 1 })
  })
})

describe('delete()', () => {
  it('marks what is soft-deleted, hides it and frees its unique values', async () => {
    const { _id } = await things.create(aThing({ code: 'a' }))
    await things.delete(_id)
    await expect(things.get(_id)).rejects.toBeInstanceOf(NotFoundError)
    await expect(things.getDocument(_id)).rejects.toBeInstanceOf(NotFoundError)
    expect(await things.findOne({ code: 'a' })).toBeNull()
    expect(await things.findOne({ code: 'a', deletedAt: where.ne(null) } as never)).toBeNull()
    expect([await things.count(), await things.exists({}), (await things.page()).total]).toEqual([0, false, 0])
    expect(await things.get(_id, { withDeleted: true })).toMatchObject({
      code: 'a',
      deletedAt: expect.any(Date),
      __v: 1,
    })
    expect(await things.count({}, { withDeleted: true })).toBe(1)
    const again = await things.create(aThing({ code: 'a' }))
    await things.delete(again._id)
    await things.create(aThing({ code: 'a' }))
  })

  it('fails the second time', async () => {
    const { _id } = await things.create(aThing())
    await things.delete(_id)
    await expect(things.delete(_id)).rejects.toBeInstanceOf(NotFoundError)
  })

  it('heeds the version', async () => {
    const { _id } = await things.create(aThing())
    await things.update(_id, { rank: 1 })
    await expect(things.delete(_id, { version: 0 })).rejects.toMatchObject({ code: 'STALE_VERSION' })
    await things.delete(_id, { version: 1 })
  })

  it('is taken back by restore(), unless the place is taken', async () => {
    const { _id } = await things.create(aThing({ code: 'a' }))
    await things.delete(_id)
    expect(await things.restore(_id)).toMatchObject({ code: 'a', deletedAt: null, __v: 2 })
    await expect(things.restore(_id)).rejects.toMatchObject({
      message: `No deleted thing with id ${_id.toHexString()}`,
    })
    await things.delete(_id)
    await things.create(aThing({ code: 'a' }))
    await expect(things.restore(_id)).rejects.toMatchObject({ code: 'CONFLICT', fields: ['code'] })
  })

  it('removes what is not soft-deleted, and restores none of it', async () => {
    const { _id } = await volt.powerSettings.create({ electricityPrice: 7, currency: 'INR' })
    await volt.powerSettings.delete(_id)
    expect(await database.db.collection('power_settings').countDocuments()).toBe(0)
    await expect(volt.powerSettings.delete(_id)).rejects.toBeInstanceOf(NotFoundError)
    await expect(volt.powerSettings.restore(_id)).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('bulk()', () => {
  it('ends a transaction around it with an error of ours, too', async () => {
    const missing = [{ update: new ObjectId(), changes: { rank: 1 } }]
    const attempt = volt.transaction(() => things.bulk(missing))
    await expect(attempt).rejects.toMatchObject({ name: 'NotFoundError', code: 'NOT_FOUND' })
  })

  it('writes in order, and tells what it did', async () => {
    const [one, two] = await things.createMany([aThing({ rank: 1 }), aThing({ rank: 2 })])
    const result = await things.bulk([
      { create: { code: 'new', secret: 'hidden' } },
      { update: one?._id ?? '', changes: { rank: change.inc(10) } },
      { update: one?._id ?? '', changes: { label: 'again' }, version: 1 },
      { delete: two?._id.toHexString() ?? '' },
    ])
    expect(result).toEqual({ created: [expect.any(ObjectId)], updated: 2, deleted: 1 })
    expect(await things.get(one?._id ?? '')).toMatchObject({ rank: 11, label: 'again', __v: 2 })
    expect(await things.revealSecret(result.created[0] ?? '', 'secret')).toBe('hidden')
    expect(await things.count()).toBe(2)
    expect(await things.bulk([])).toEqual({ created: [], updated: 0, deleted: 0 })
  })

  it.each<readonly [string, (ids: { there: ObjectId; gone: ObjectId }) => Parameters<Things['bulk']>[0], object]>([
    ['an id that is not there', ({ gone }) => [{ update: gone, changes: { rank: 1 } }], { code: 'NOT_FOUND' }],
    ['a deletion of what is not there', ({ gone }) => [{ delete: gone }], { code: 'NOT_FOUND' }],
    ['a deletion twice', ({ there }) => [{ delete: there }, { delete: there }], { code: 'NOT_FOUND' }],
    [
      'a stale version',
      ({ there }) => [{ update: there, changes: { rank: 1 }, version: 7 }],
      { code: 'STALE_VERSION' },
    ],
    ['a stale version of a deletion', ({ there }) => [{ delete: there, version: 7 }], { code: 'STALE_VERSION' }],
    [
      'a taken value',
      () => [{ create: { code: 'taken' } }],
      { code: 'CONFLICT', fields: ['code'], values: { code: 'taken' } },
    ],
    ['a bad input', () => [{ create: { code: '' } }], { code: 'VALIDATION', issues: [{ path: 'code' }] }],
    [
      'a bad change',
      ({ there }) => [{ update: there, changes: { rank: 'x' as never } }],
      { issues: [{ path: 'rank' }] },
    ],
    [
      'what the server refuses',
      ({ there }) => [{ update: there, changes: { 'size.height': 9.5 } }],
      {
        code: 'VALIDATION',
        issues: [{ path: 'size.height' }],
      },
    ],
  ])('writes nothing for %s', async (_, operations, expected) => {
    await things.create(aThing({ code: 'taken' }))
    const there = await things.create(aThing({ rank: 0, size: { width: 1.5 } }))
    const ids = { there: there._id, gone: new ObjectId() }
    const attempt = things.bulk([{ create: aThing() }, { update: there._id, changes: { rank: 5 } }, ...operations(ids)])
    await expect(attempt).rejects.toMatchObject(expected)
    expect(await things.count()).toBe(2)
    expect(await things.get(there._id)).toEqual(there)
  })
})

describe('documents', () => {
  it('are saved by Mongoose under the same rules and versions', async () => {
    const { _id } = await things.create(aThing({ rank: 1, secret: 'hidden', at: new Date(0) }))
    const document = await things.getDocument(_id)
    document.set('rank', 2)
    document.set('tags', ['a'])
    await document.save()
    expect(await things.get(_id)).toMatchObject({ rank: 2, tags: ['a'], at: new Date(0), __v: 1 })
    expect(await things.revealSecret(_id, 'secret')).toBe('hidden')
    document.set('size', { width: 1, height: 2 })
    await expect(document.save()).rejects.toMatchObject({ name: 'ValidationError', issues: [{ path: 'size.height' }] })
  })

  it('cannot overwrite what somebody else has changed since', async () => {
    const { _id } = await things.create(aThing({ rank: 1 }))
    const [mine, theirs] = [await things.getDocument(_id), await things.getDocument(_id)]
    theirs.set('rank', 2)
    await theirs.save()
    mine.set('rank', 3)
    await expect(mine.save()).rejects.toMatchObject({ name: 'ConflictError', code: 'STALE_VERSION' })
  })

  it('are new ones as create() makes them: converted, with defaults, times and version', async () => {
    const document = new things.model({
      code: 'a',
      owner: '65f000000000000000000000',
      parts: [{ name: 'x', count: 1 }],
    })
    await document.save()
    const found = await things.findOne({ code: 'a' })
    expect(found).toMatchObject({ owner: expect.any(ObjectId), tags: [], deletedAt: null, __v: 0 })
    expect(found?.parts).toEqual([{ _id: expect.any(ObjectId), name: 'x', count: 1 }])
  })

  it('are inserted in numbers with defaults too, and refused with paths', async () => {
    await things.model.insertMany([aThing(), aThing()])
    expect(await things.find()).toMatchObject([{ tags: [] }, { tags: [] }])
    await expect(things.model.insertMany([{ ...aThing(), rank: 0.5 }])).rejects.toMatchObject({
      issues: [{ path: 'rank' }],
    })
  })

  it('are saved though only a part of them was read', async () => {
    const { _id } = await things.create(aThing({ rank: 1, size: { width: 1 } }))
    const document = await things.model.findById(_id).select('rank')
    document?.set('rank', 2)
    await document?.save()
    expect(await things.get(_id)).toMatchObject({ rank: 2, size: { width: 1 } })
    document?.set('rank', 2.5)
    await expect(document?.save()).rejects.toMatchObject({ issues: [{ path: 'rank' }] })
  })

  it('refuse a secret in clear', async () => {
    await expect(new things.model({ ...aThing(), secret: 'in the clear' }).save()).rejects.toMatchObject({
      issues: [{ path: 'secret' }],
    })
    await expect(things.model.updateOne({}, { secret: 'in the clear' }, { upsert: true })).rejects.toThrow()
  })

  it('name what is taken, as the repository does', async () => {
    await things.create(aThing({ code: 'taken' }))
    await expect(new things.model({ code: 'taken' }).save()).rejects.toMatchObject({
      name: 'ConflictError',
      fields: ['code'],
      values: { code: 'taken' },
    })
    await expect(things.model.create([{ code: 'taken' }])).rejects.toMatchObject({ fields: ['code'] })
  })

  it('are sorted and bounded as plain objects are', async () => {
    await things.createMany([aThing({ rank: 1 }), aThing({ rank: 3 }), aThing({ rank: 2 })])
    const found = await things.findDocuments({}, { sort: { rank: -1 }, limit: 2 })
    expect(found.map((document) => document.get('rank'))).toEqual([3, 2])
  })
})
