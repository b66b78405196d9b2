import { BSONRegExp, Code, MinKey, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { ValidationError } from '../../../src/core/errors.js'
import type { Filter } from '../../../src/core/repository/conditions.js'
import { where } from '../../../src/core/repository/conditions.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aThing, setUpThings, type Thing, type Things, thingEntity } from '../support/thing.js'

const database = setUpDatabase()
let volt: AutoVolt
let things: Things

beforeAll(async () => {
  volt = await openVolt(database, { hostEntities: [thingEntity] })
  things = await setUpThings(volt)
})

/** What a request's body gives, which no type holds back. */
const fromOutside = (json: string) => JSON.parse(json) as Filter<Thing>
const untyped = (filter: unknown) => filter as Filter<Thing>

class Impostor {
  $gt = ''
}

const operators: readonly (readonly [what: string, filter: () => Filter<Thing>])[] = [
  ['an operator as value', () => fromOutside('{ "code": { "$gt": "" } }')],
  ['an operator beside data', () => fromOutside('{ "size": { "width": 1, "$ne": null } }')],
  ['an operator deep inside a value', () => fromOutside('{ "size": { "width": { "$gt": 0 } } }')],
  ['an operator in a list', () => fromOutside('{ "tags": [{ "$ne": "x" }] }')],
  ['an operator in a list in a list', () => fromOutside('{ "tags": [["x", [{ "$regex": "." }]]] }')],
  ['$where', () => fromOutside('{ "$where": "sleep(1000)" }')],
  ['$where in a field', () => fromOutside('{ "code": { "$where": "1" } }')],
  ['$expr', () => fromOutside('{ "$expr": true }')],
  ['$or', () => fromOutside('{ "$or": [{}] }')],
  ['$comment', () => fromOutside('{ "$comment": "x" }')],
  ['$function', () => fromOutside('{ "code": { "$function": { "body": "x" } } }')],
  ['__proto__', () => fromOutside('{ "__proto__": { "code": "x" } }')],
  ['__proto__ as value', () => fromOutside('{ "size": { "__proto__": { "$gt": "" } } }')],
  ['constructor', () => fromOutside('{ "constructor": 1 }')],
  ['constructor in a path', () => fromOutside('{ "size.constructor": 1 }')],
  ['prototype in a path', () => fromOutside('{ "labels.prototype": "x" }')],
  ['an empty path', () => fromOutside('{ "": 1 }')],
  ['an operator in a path', () => fromOutside('{ "size.$gt": 1 }')],
  ['a path with an empty segment', () => fromOutside('{ "labels..x": "y" }')],
  ['what says that it is an ObjectId', () => fromOutside('{ "owner": { "_bsontype": "ObjectId" } }')],
  ['what says that it is code', () => fromOutside('{ "code": { "_bsontype": "Code", "code": "x" } }')],
  [
    'a prototype taken over by Object.assign',
    () => untyped({ size: Object.assign({}, JSON.parse('{ "__proto__": { "_bsontype": "Code" } }')) }),
  ],
  [
    'a filter whose prototype was taken over',
    () => untyped(Object.assign({}, JSON.parse('{ "__proto__": { "code": "x" } }'))),
  ],
  ['undefined', () => untyped({ code: undefined })],
  ['undefined in a list', () => untyped({ tags: [undefined] })],
  ['a regular expression', () => untyped({ code: /x/ })],
  ['a regular expression in a list', () => untyped({ tags: [/x/] })],
  ['a function', () => untyped({ code: () => true })],
  ['a function in a value', () => untyped({ size: { width: () => 1 } })],
  ['a symbol', () => untyped({ code: Symbol('x') })],
  ['an instance of a class', () => untyped({ code: new Impostor() })],
  ['a Map', () => untyped({ size: new Map([['$gt', '']]) })],
  ['a condition in a value', () => untyped({ size: { width: where.gt(0) } })],
  ['a combination as value', () => untyped({ code: where.and({ code: 'x' }) })],
  ['an empty combination', () => where.or()],
  ['an operator in a combination', () => where.and(fromOutside('{ "code": { "$gt": "" } }'))],
  ['an operator in a condition', () => ({ code: where.ne(JSON.parse('{ "$gt": "" }')) })],
  ["a pattern of the driver's in the list of a condition", () => ({ code: where.in([new BSONRegExp('.') as never]) })],
  ["code of the driver's", () => ({ code: new Code('1') as never })],
  ['an operator in the list of a condition', () => ({ code: where.in([JSON.parse('{ "$regex": "." }')]) })],
  ['a regular expression in the list of a condition', () => ({ code: where.in([/x/ as never]) })],
  ['undefined in a condition', () => ({ code: where.ne(undefined as never) })],
  ['undefined in the list of a condition', () => ({ code: where.in([undefined as never]) })],
  ['a pattern that is a text', () => ({ code: where.matches('.*' as never) })],
  ['nesting without end', () => nested(12)],
  ['a list as filter', () => untyped([])],
  ['a text as filter', () => untyped('code')],
  ['null as filter', () => untyped(null)],
  ['a condition as filter', () => untyped(where.gt(1))],
  ['an unknown field', () => untyped({ colour: 'red' })],
  ['an unknown field inside', () => untyped({ 'size.depth': 1 })],
  ['an unknown field of a list', () => untyped({ 'parts.colour': 1 })],
  ['a path into what has no fields', () => untyped({ 'code.x': 1 })],
  ['a secret', () => untyped({ secret: 'guess' })],
  ['a path into a secret', () => untyped({ 'secret.x': 'guess' })],
]

function nested(depth: number): Filter<Thing> {
  return depth === 0 ? { code: 'x' } : where.and(nested(depth - 1))
}

describe('a filter refuses', () => {
  it.each(operators)('%s', async (_, filter) => {
    await things.create(aThing())
    const calls = [
      () => things.find(filter()),
      () => things.findOne(filter()),
      () => things.page(filter()),
      () => things.after(filter()),
      () => things.count(filter()),
      () => things.exists(filter()),
      () => things.stream(filter()).next(),
      () => things.findDocuments(filter()),
      () => things.watch(filter()),
      () => things.upsert(filter(), aThing()),
    ]
    for (const call of calls) {
      const error: unknown = await (async () => call())().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ValidationError)
    }
  })

  it('names the path and the type, and not the value', async () => {
    const attempt = things.find(fromOutside('{ "code": { "$gt": "hidden" } }'))
    await expect(attempt).rejects.toMatchObject({
      message: 'The filter on thing is not valid: code.$gt: operators are not taken from data',
      issues: [{ path: 'code.$gt', received: 'string' }],
    })
    const error: unknown = await attempt.catch((reason: unknown) => reason)
    expect(JSON.stringify(error)).not.toContain('hidden')
  })
})

describe('ids, sorts, selections and limits refuse', () => {
  const values: readonly unknown[] = [{ $gt: '' }, 'abc', 5, null, undefined, '', {}, [], { _bsontype: 'ObjectId' }]
  it.each(values)('%j as an id', async (id) => {
    for (const call of [
      () => things.get(id as string),
      () => things.update(id as string, {}),
      () => things.delete(id as string),
      () => things.restore(id as string),
      () => things.getDocument(id as string),
      () => things.revealSecret(id as string, 'secret'),
    ]) {
      await expect((async () => call())()).rejects.toBeInstanceOf(ValidationError)
    }
  })

  it.each([
    { code: 'asc' },
    { code: 2 },
    { code: { $meta: 'textScore' } },
    { $natural: 1 },
    { colour: 1 },
    { secret: 1 },
    JSON.parse('{ "__proto__": 1 }'),
  ])('%j as a sort', async (sort) => {
    for (const call of [
      things.find({}, { sort }),
      things.page({}, { sort }),
      things.after({}, { sort }),
      things.findDocuments({}, { sort }),
    ]) {
      await expect(call).rejects.toBeInstanceOf(ValidationError)
    }
  })

  it.each([[['secret']], [['colour']], [['$where']], ['code'], [['size.width']], [[{ $slice: 1 }]]])(
    '%j as a selection',
    async (select) => {
      await expect(things.find({}, { select: select as never })).rejects.toBeInstanceOf(ValidationError)
      await expect(things.findOne({}, { select: select as never })).rejects.toBeInstanceOf(ValidationError)
    },
  )

  it.each([0, -1, 1.5, 1001, Number.NaN, Number.POSITIVE_INFINITY, '10', { $gt: 1 }, null])(
    '%j as a limit',
    async (limit) => {
      if (limit === null) return
      for (const call of [
        things.find({}, { limit: limit as number }),
        things.page({}, { limit: limit as number }),
        things.after({}, { limit: limit as number }),
        things.findDocuments({}, { limit: limit as number }),
      ]) {
        await expect(call).rejects.toMatchObject({ issues: [{ path: 'limit' }] })
      }
    },
  )

  it('pages that are no numbers or lie beyond reach, and batches without bounds', async () => {
    await expect(things.page({}, { page: 0 })).rejects.toMatchObject({ issues: [{ path: 'page' }] })
    await expect(things.page({}, { page: 1e9 })).rejects.toMatchObject({ issues: [{ path: 'page' }] })
    await expect(things.stream({}, { batchSize: 1e9 }).next()).rejects.toMatchObject({
      issues: [{ path: 'batchSize' }],
    })
    await expect(things.find({}, { withDeleted: 'yes' as never })).rejects.toMatchObject({
      issues: [{ path: 'withDeleted', received: 'string' }],
    })
  })

  it('lists of a condition without bounds', () => {
    expect(() => where.in(Array.from({ length: 10_001 }, () => 1))).toThrow('expected a list of at most 10000 values')
    expect(() => where.in('abc' as never)).toThrow('expected a list')
  })

  it.each([{ $gt: 0 }, -1, 0.5, '0'])('%j as a version', async (version) => {
    const { _id } = await things.create(aThing())
    for (const call of [
      () => things.update(_id, { rank: 1 }, { version: version as number }),
      () => things.delete(_id, { version: version as number }),
      () => things.bulk([{ delete: _id, version: version as number }]),
    ]) {
      await expect((async () => call())()).rejects.toMatchObject({ issues: [{ path: 'version' }] })
    }
  })
})

describe('a filter', () => {
  const early = new Date('2026-01-01')
  const late = new Date('2026-02-01')
  const [owner, other] = [new ObjectId(), new ObjectId()]
  let own: Things

  beforeAll(async () => {
    own = await setUpThings(await openVolt(setUpDatabase(), { hostEntities: [thingEntity] }))
    await own.createMany([
      {
        code: 'a',
        label: 'Alpha (1)',
        rank: 1,
        weight: 0.5,
        fresh: true,
        at: early,
        owner,
        color: 'red',
        tags: ['x', 'y'],
        parts: [{ name: 'bolt', count: 3 }],
        size: { width: 2, height: 1 },
        mixed: 'text',
        labels: { en: 'lamp' },
      },
      {
        code: 'b',
        label: 'Alpha .*',
        rank: 2,
        weight: null,
        fresh: false,
        at: late,
        owner: other,
        color: 'green',
        tags: ['y'],
        mixed: 7,
      },
      { code: 'c', rank: 3, size: { width: 5 } },
    ])
  })

  const cases: readonly (readonly [what: string, filter: Filter<Thing>, codes: string])[] = [
    ['by equality of a text', { code: 'a' }, 'a'],
    ['by equality of a number', { rank: 2 }, 'b'],
    ['by equality of a boolean', { fresh: false }, 'b'],
    ['by equality of a date', { at: early }, 'a'],
    ['by equality of an id', { owner }, 'a'],
    ['by equality of an id of another copy of the driver', { owner: other }, 'b'],
    ['by null, which is absence too', { weight: null }, 'bc'],
    ['by an item of a list', { tags: 'y' }, 'ab'],
    ['by a whole list', { tags: ['x', 'y'] }, 'a'],
    ['by a whole object', { size: { width: 5 } }, 'c'],
    ['by a field of an object', { 'size.width': 5 }, 'c'],
    ['by a field of the items of a list', { 'parts.name': 'bolt' }, 'a'],
    ['by several fields', { tags: 'y', rank: 1 }, 'a'],
    ['by where.ne', { code: where.ne('a') }, 'bc'],
    ['by where.ne(null)', { label: where.ne(null) }, 'ab'],
    ['by where.gt', { rank: where.gt(2) }, 'c'],
    ['by where.gte', { rank: where.gte(2) }, 'bc'],
    ['by where.lt', { at: where.lt(late) }, 'a'],
    ['by where.lte', { at: where.lte(late) }, 'ab'],
    ['by where.between, which excludes the end', { rank: where.between(1, 3) }, 'ab'],
    ['by where.between of dates', { at: where.between(early, late) }, 'a'],
    ['by where.in', { color: where.in(['red', 'blue']) }, 'a'],
    ['by where.in of ids', { owner: where.in([owner, other]) }, 'ab'],
    ['by where.nin', { color: where.nin(['red', 'blue']) }, 'bc'],
    ['by where.exists', { owner: where.exists() }, 'ab'],
    ['by where.exists(false)', { owner: where.exists(false) }, 'c'],
    ['by where.matches', { label: where.matches(/^alpha/i) }, 'ab'],
    ['by where.startsWith, literally', { label: where.startsWith('Alpha .*') }, 'b'],
    ['by where.startsWith with brackets', { label: where.startsWith('Alpha (') }, 'a'],
    ['by a condition on the items of a list', { tags: where.gt('x') }, 'ab'],
    ['by a condition one level down', { 'parts.count': where.gt(2) }, 'a'],
    ['by where.and', where.and({ tags: 'y' }, { rank: where.lt(2) }), 'a'],
    ['by where.or', where.or({ code: 'a' }, { code: 'c' }), 'ac'],
    ['by where.nor', where.nor({ code: 'a' }, { code: 'c' }), 'b'],
    ['by combinations in combinations', where.or(where.and({ tags: 'y' }, { rank: 2 }), { code: 'c' }), 'bc'],
    ['by nothing', {}, 'abc'],
  ]

  it.each(cases)('finds %s', async (_, filter, codes) => {
    const found = await own.find(filter, { sort: { code: 1 } })
    expect(found.map(({ code }) => code).join('')).toBe(codes)
    expect(await own.count(filter)).toBe(codes.length)
    expect(await own.exists(filter)).toBe(codes.length > 0)
  })

  it('takes what query strings are parsed to', async () => {
    const parsed = Object.assign(Object.create(null), { code: 'a' }) as Filter<Thing>
    expect(await own.find(parsed)).toHaveLength(1)
  })

  it("takes the driver's own values", async () => {
    expect(await own.find({ rank: new MinKey() as never })).toEqual([])
  })

  it('is typed', () => {
    const bad = [
      // @ts-expect-error a number is no text
      { code: 5 } satisfies Filter<Thing>,
      // @ts-expect-error no such field
      { colour: 'red' } satisfies Filter<Thing>,
      // @ts-expect-error no such color
      { color: 'pink' } satisfies Filter<Thing>,
      // @ts-expect-error operators are not written by hand
      { rank: { $gt: 1 } } satisfies Filter<Thing>,
      // @ts-expect-error a text is no condition on a number
      { rank: where.gt('1') } satisfies Filter<Thing>,
      // @ts-expect-error a pattern is no condition on a number
      { rank: where.matches(/1/) } satisfies Filter<Thing>,
      // @ts-expect-error no such field one level down
      { 'size.depth': 1 } satisfies Filter<Thing>,
      // @ts-expect-error another type one level down
      { 'size.width': 'wide' } satisfies Filter<Thing>,
      // @ts-expect-error a secret cannot be asked for
      { secret: 'x' } satisfies Filter<Thing>,
      // @ts-expect-error an id is no number
      { owner: 5 } satisfies Filter<Thing>,
    ]
    expect(bad).toHaveLength(10)
  })
})
