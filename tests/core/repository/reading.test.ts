import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { ConflictError, NotFoundError, ValidationError } from '../../../src/core/errors.js'
import { where } from '../../../src/core/repository/conditions.js'
import { setUpDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { SettableClock } from '../../support/settable-clock.js'
import { openVolt } from '../../support/volt.js'
import { aThing, setUpThings, type Thing, type Things, thingEntity } from '../support/thing.js'

const database = setUpDatabase()
const clock = new SettableClock()
let things: Things

beforeAll(async () => {
  things = await setUpThings(await openVolt(database, { hostEntities: [thingEntity], clock }))
})
beforeEach(async () => {
  await database.db.collection('things').deleteMany({})
})

describe('create()', () => {
  it('gives back what it stored: ids, times, version and defaults filled in', async () => {
    const created = await things.create({
      code: 'a',
      owner: '65F000000000000000000000',
      at: '2026-03-01T10:00:00+05:30',
    })
    expect(created).toEqual({
      _id: expect.any(ObjectId),
      code: 'a',
      owner: new ObjectId('65f000000000000000000000'),
      at: new Date('2026-03-01T04:30:00Z'),
      tags: [],
      parts: [],
      createdAt: expect.any(Date),
      updatedAt: created.createdAt,
      deletedAt: null,
      __v: 0,
    })
    expect(await things.get(created._id)).toEqual(created)
    expect(await database.db.collection('things').findOne()).toEqual(created)
  })

  it('takes the time from the clock of the handle', async () => {
    clock.advance(86_400_000)
    const { createdAt } = await things.create(aThing())
    expect(createdAt.getTime()).toBeGreaterThan(Date.now() + 86_000_000)
  })

  it('takes an id that it is given', async () => {
    const _id = new ObjectId()
    expect(await things.create(aThing({ _id }))).toMatchObject({ _id })
    expect(await things.create(aThing({ _id: '65f000000000000000000001' }))).toMatchObject({
      _id: new ObjectId('65f000000000000000000001'),
    })
  })

  it('leaves out what is undefined', async () => {
    const { _id } = await things.create(aThing({ label: undefined, size: { width: 1, height: undefined } }))
    const stored = await database.db.collection('things').findOne({ _id })
    expect(stored).not.toHaveProperty('label')
    expect(stored?.size).toEqual({ width: 1 })
  })

  it('names field and value of what is taken', async () => {
    await things.create(aThing({ code: 'taken' }))
    const error: unknown = await things.create(aThing({ code: 'taken' })).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({
      code: 'CONFLICT',
      retryable: false,
      message: 'There is already a thing with code "taken"',
      fields: ['code'],
      values: { code: 'taken' },
    })
  })

  it('names a taken id', async () => {
    const { _id } = await things.create(aThing())
    await expect(things.create(aThing({ _id }))).rejects.toMatchObject({ fields: ['_id'], values: { _id } })
  })

  it('refuses bad input with every path, message and type, and no value', async () => {
    const input = { code: '', rank: '7-hidden', size: { width: 'wide', depth: 1 }, parts: [{ name: 'x', count: -1 }] }
    const error: unknown = await things.create(input as never).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ValidationError)
    expect((error as ValidationError).issues.map(({ path, received }) => [path, received])).toEqual([
      ['code', 'string'],
      ['rank', 'string'],
      ['parts.0.count', 'number'],
      ['size.width', 'string'],
      ['size.depth', 'number'],
    ])
    expect(JSON.stringify(error) + String(error)).not.toContain('7-hidden')
    expect(await things.count()).toBe(0)
  })

  it('is typed', async () => {
    // @ts-expect-error the code is missing
    await expect(things.create({})).rejects.toThrow()
    // @ts-expect-error a text is no number
    await expect(things.create({ code: 'a', rank: '1' })).rejects.toThrow()
    // @ts-expect-error what the library sets cannot be given
    await expect(things.create({ code: 'a', __v: 1 })).rejects.toThrow()
    expectTypeOf(things.create).returns.resolves.toEqualTypeOf<Thing>()
  })
})

describe('createMany()', () => {
  it('stores all of them', async () => {
    const created = await things.createMany([aThing(), aThing({ secret: 'hidden' }), aThing()])
    expect(created).toHaveLength(3)
    expect(created[1]).not.toHaveProperty('secret')
    expect(await things.count()).toBe(3)
    expect(await things.createMany([])).toEqual([])
  })

  it('stores none if one is not valid, and says which', async () => {
    await expect(things.createMany([aThing(), aThing({ code: '' }), aThing({ rank: 0.5 })])).rejects.toMatchObject({
      issues: [{ path: '1.code' }, { path: '2.rank' }],
    })
    expect(await things.count()).toBe(0)
  })

  it('stores none if one is in conflict, and names field and value', async () => {
    await things.create(aThing({ code: 'taken' }))
    await expect(things.createMany([aThing(), aThing({ code: 'taken' }), aThing()])).rejects.toMatchObject({
      message: 'There is already a thing with code "taken"',
      fields: ['code'],
      values: { code: 'taken' },
    })
    expect(await things.count()).toBe(1)
  })

  it('is bounded', async () => {
    await expect(things.createMany(Array(10_001).fill(aThing()))).rejects.toThrow('expected a list of at most 10000')
    await expect(things.createMany({} as never)).rejects.toBeInstanceOf(ValidationError)
  })
})

describe('reading', () => {
  it('throws NotFoundError for an id that is not there', async () => {
    const id = '65f000000000000000000000'
    const error: unknown = await things.get(id).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: `No thing with id ${id}`, entity: 'thing' })
    expect(await things.findOne({ code: 'nobody' })).toBeNull()
  })

  it('gives at most a hundred unless told otherwise', async () => {
    await things.createMany(Array.from({ length: 120 }, () => aThing()))
    expect(await things.find()).toHaveLength(100)
    expect(await things.find({}, { limit: 110 })).toHaveLength(110)
    expect(await things.find({}, { limit: 1000 })).toHaveLength(120)
  })

  it('sorts', async () => {
    await things.createMany([
      aThing({ rank: 1, label: 'b' }),
      aThing({ rank: 2, label: 'a' }),
      aThing({ rank: 1, label: 'a' }),
    ])
    const found = await things.find({}, { sort: { rank: -1, label: 1 } })
    expect(found.map(({ rank, label }) => `${rank}${label}`)).toEqual(['2a', '1a', '1b'])
  })

  it('narrows what it gives, and its type, to the selection', async () => {
    const { _id } = await things.create(aThing({ rank: 1, label: 'x', secret: 'hidden' }))
    const selected = await things.get(_id, { select: ['rank', 'size'] })
    expect(selected).toEqual({ _id, rank: 1 })
    expectTypeOf(selected).toEqualTypeOf<Pick<Thing, '_id' | 'rank' | 'size'>>()
    // @ts-expect-error it was not selected
    expect(selected.label).toBeUndefined()
    expect(await things.findOne({}, { select: [] })).toEqual({ _id })
    expect((await things.find({}, { select: ['code'] }))[0]).toHaveProperty('code')
    expect((await things.page({}, { select: ['label'] })).items).toEqual([{ _id, label: 'x' }])
    // @ts-expect-error no such field
    await expect(things.find({}, { select: ['colour'] })).rejects.toThrow('colour')
    // @ts-expect-error secrets are never read
    await expect(things.find({}, { select: ['secret'] })).rejects.toThrow('secret')
  })

  it('never shows secrets', async () => {
    const { _id } = await things.create(aThing({ secret: 'hidden' }))
    const shown = [
      await things.get(_id),
      await things.findOne({}),
      ...(await things.find()),
      ...(await things.page()).items,
      await things.update(_id, { rank: 1 }),
      await things.upsert({ _id }, aThing({ _id })),
      (await things.getDocument(_id)).toObject(),
    ]
    for await (const streamed of things.stream()) shown.push(streamed)
    for (const document of shown) expect(document).not.toHaveProperty('secret')
  })
})

describe('page()', () => {
  it('gives items and their place in the whole', async () => {
    await things.createMany(Array.from({ length: 7 }, (_, rank) => aThing({ rank })))
    const page = (number: number, limit = 3) => things.page({}, { sort: { rank: 1 }, page: number, limit })
    const ranks = (items: readonly Thing[]) => items.map(({ rank }) => rank)
    const first = await page(1)
    expect(ranks(first.items)).toEqual([0, 1, 2])
    expect(first).toMatchObject({ total: 7, page: 1, limit: 3, pages: 3, hasNext: true, hasPrevious: false })
    expect(ranks((await page(3)).items)).toEqual([6])
    expect(await page(3)).toMatchObject({ hasNext: false, hasPrevious: true })
    expect(await page(9)).toMatchObject({ items: [], total: 7, pages: 3, hasNext: false, hasPrevious: true })
    expect(await things.page({ code: 'nobody' })).toEqual({
      items: [],
      total: 0,
      page: 1,
      limit: 50,
      pages: 0,
      hasNext: false,
      hasPrevious: false,
    })
  })

  it('shows no document twice where many are equal in the sort', async () => {
    await things.createMany(Array.from({ length: 60 }, () => aThing({ rank: 1 })))
    const seen = new Set<string>()
    for (let page = 1; page <= 6; page += 1) {
      const { items } = await things.page({}, { sort: { rank: -1 }, page, limit: 10 })
      for (const { code } of items) seen.add(code)
    }
    expect(seen.size).toBe(60)
  })

  it('counts and finds within a transaction too', async () => {
    const volt = await openVolt(database, { hostEntities: [thingEntity] })
    const inside = volt.repository(thingEntity)
    const page = await volt.transaction(async () => {
      await inside.create(aThing())
      return inside.page()
    })
    expect(page).toMatchObject({ total: 1, items: [{}] })
  })
})

describe('stream()', () => {
  it('gives everything, in order, in batches', async () => {
    await things.createMany(Array.from({ length: 25 }, (_, rank) => aThing({ rank })))
    const ranks: unknown[] = []
    for await (const { rank } of things.stream({ rank: where.gte(5) }, { sort: { rank: 1 }, batchSize: 4 }))
      ranks.push(rank)
    expect(ranks).toEqual(Array.from({ length: 20 }, (_, index) => index + 5))
  })

  it('lets go of its cursor when its reader stops, or fails', async () => {
    await things.createMany(Array.from({ length: 25 }, () => aThing()))
    const openCursors = async () =>
      (await database.client.db('admin').command({ serverStatus: 1 })).metrics.cursor.open.total
    const before = await openCursors()
    for await (const thing of things.stream({}, { batchSize: 2 })) {
      expect(thing.code).toBeDefined()
      break
    }
    const failing = async () => {
      for await (const thing of things.stream({}, { batchSize: 2 })) throw new Error(`at ${thing.code}`)
    }
    await expect(failing()).rejects.toThrow('at thing-')
    // Those of other tests come and go.
    await eventually('no more cursors are open than before', async () => (await openCursors()) <= before)
  })

  it('is typed by its selection', async () => {
    await things.create(aThing({ rank: 3 }))
    for await (const item of things.stream({}, { select: ['rank'] })) {
      expectTypeOf(item).toEqualTypeOf<Pick<Thing, '_id' | 'rank'>>()
      expect(item).toEqual({ _id: expect.any(ObjectId), rank: 3 })
    }
  })
})
