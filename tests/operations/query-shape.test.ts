import { ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { shapeOf } from '../../src/operations/calls/query-shape.js'

const id = new ObjectId()

it.each([
  ['find', { find: 'devices', filter: {} }, 'find {}'],
  [
    'find',
    { find: 'devices', filter: { classroom: id, name: { $gt: 'secret', $lt: 'z' } }, sort: { name: -1 }, limit: 5 },
    'find { classroom: =, name: > < } sort { name: -1 }',
  ],
  [
    'find',
    { find: 'devices', filter: { $or: [{ a: 'secret' }, { b: { $in: ['secret'] } }], c: { $not: { $eq: 'secret' } } } },
    'find { $or: [{ a: = }, { b: in }], c: not = }',
  ],
  [
    'find',
    { find: 'a', filter: { list: { $elemMatch: { x: 'secret', y: { $gte: 1 } } } } },
    'find { list: elemMatch { x: =, y: >= } }',
  ],
  ['find', { find: 'a', filter: { $expr: { $eq: ['$a', 'secret'] } } }, 'find { $expr: expression }'],
  ['find', { find: 'a', filter: { embedded: { street: 'secret' } } }, 'find { embedded: = }'],
  ['find', { find: 'a', filter: { score: /secret/ } }, 'find { score: = }'],
  [
    'aggregate',
    {
      aggregate: 'a',
      pipeline: [{ $match: { at: { $gte: 'secret' } } }, { $group: { _id: 'secret' } }, { $sort: { n: 1 } }],
    },
    'aggregate $match { at: >= }, $group, $sort { n: 1 }',
  ],
  ['insert', { insert: 'a', documents: [{ name: 'secret' }, {}] }, 'insert of 2 documents'],
  [
    'update',
    {
      update: 'a',
      updates: [
        { q: { name: 'secret' }, u: { $set: { name: 'secret', at: 1 } } },
        { q: {}, u: {} },
      ],
    },
    'update { name: = } by $set { name, at } and 1 more',
  ],
  // The profiler has each statement for itself.
  ['update', { q: { name: 'secret' }, u: { name: 'secret' } }, 'update { name: = } by another document'],
  ['remove', { q: { name: 'secret' }, limit: 1 }, 'delete { name: = }'],
  [
    'command',
    { findAndModify: 'a', query: { name: 'secret' }, update: { $inc: { n: 1 } } },
    'findAndModify { name: = } by $inc { n }',
  ],
  ['command', { count: 'a', query: { name: 'secret' } }, 'count { name: = }'],
  ['command', { distinct: 'a', key: 'b', query: {} }, 'distinct {}'],
  [
    'getmore',
    { getMore: 5, collection: 'a', originatingCommand: { find: 'a', filter: { name: 'secret' } } },
    'getMore of find { name: = }',
  ],
  ['find', { find: 'a', filter: { name: 'secret' }, hint: 'secret_1' }, 'find { name: = } with a hint'],
  ['find', { find: 'a', filter: {}, sort: new Map([['at', -1]]) }, 'find {} sort { at: -1 }'],
  ['query', null, 'query'],
])('the shape of %s %j has no value', (operation, command, shape) => {
  expect(shapeOf(operation, command)).toBe(shape)
})

it('is bounded, whatever is asked', () => {
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field${n}`, n]))
  let deep: object = { a: 'secret' }
  for (let n = 0; n < 5_000; n += 1) deep = { $or: [deep] }
  expect(shapeOf('find', { find: 'a', filter: wide }).length).toBeLessThan(700)
  expect(shapeOf('find', { find: 'a', filter: deep })).toBe(
    'find { $or: [{ $or: [{ $or: [{ $or: [{ $or: [{ $or: [{ $or: [{ … }] }] }] }] }] }] }] }',
  )
})
