import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { defineEntity } from '../../src/core/entity.js'
import { change } from '../../src/core/repository/changes.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const isEven = (value: number) => value % 2 === 0
const isSorted = (list: readonly number[]) => list.every((item, at) => at === 0 || (list[at - 1] ?? 0) <= item)

const gaugeEntity = defineEntity({
  name: 'gauge',
  collection: 'gauges',
  fields: {
    code: z.string().trim().toUpperCase().min(1).default('a'),
    even: z.int().refine(isEven, 'is odd').default(0),
    sparse: z
      .int()
      .optional()
      .refine((value) => value === undefined || isEven(value), 'is odd'),
    marks: z.array(z.int()).refine(isSorted, 'is not sorted').default([]),
    scales: z
      .array(
        z
          .string()
          .trim()
          .refine((text) => text !== 'nope', 'is nope'),
      )
      .default([]),
    range: z
      .strictObject({ from: z.int(), to: z.int() })
      .refine(({ from, to }) => from <= to, 'ends early')
      .optional(),
    count: z.int().default(0),
  },
})

const database = setUpDatabase()
let volt: AutoVolt
const gauges = () => volt.repository(gaugeEntity)

beforeAll(async () => {
  volt = await openVolt(database, { hostEntities: [gaugeEntity] })
  await volt.setup()
})

describe('a refinement', () => {
  it.each([
    ['even', { even: 3 }],
    ['sparse', { sparse: 3 }],
    ['marks', { marks: [2, 1] }],
    ['scales.0', { scales: ['nope'] }],
    ['range', { range: { from: 2, to: 1 } }],
  ])('of %s holds in create, update, upsert and save', async (path, input) => {
    const { _id } = await gauges().create({})
    const refusal = { name: 'ValidationError', issues: [{ path }] }
    await expect(gauges().create(input)).rejects.toMatchObject(refusal)
    await expect(gauges().update(_id, input)).rejects.toMatchObject(refusal)
    await expect(gauges().upsert({ _id }, { _id, ...input })).rejects.toMatchObject(refusal)
    await expect(new (gauges().model)(input as never).save()).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it.each([
    ['even', { even: change.inc(1) }],
    ['even', { even: change.mul(0.5) }],
    ['sparse', { sparse: change.inc(2) }],
    ['marks', { marks: change.push(1) }],
    ['marks', { marks: change.addToSet(1) }],
    ['marks', { marks: change.pull(1) }],
    ['marks.0', { 'marks.0': 9 }],
    ['range.from', { 'range.from': 9 }],
  ] as const)('of %s lets no operator past whose result it does not see: %j', async (path, changes) => {
    const { _id } = await gauges().create({ even: 2, sparse: 2, marks: [1, 2], range: { from: 1, to: 2 } })
    await expect(gauges().update(_id, changes as never)).rejects.toMatchObject({
      name: 'ValidationError',
      issues: [{ path, message: expect.stringContaining('refinement') }],
    })
    expect(await gauges().get(_id)).toMatchObject({ even: 2, sparse: 2, marks: [1, 2], __v: 0 })
  })

  it('checks what change.min and change.max bring in, and what is pushed', async () => {
    const { _id } = await gauges().create({ even: 4, scales: ['a'] })
    for (const odd of [change.min(3), change.max(5)]) {
      await expect(gauges().update(_id, { even: odd })).rejects.toMatchObject({ issues: [{ path: 'even' }] })
      await expect(gauges().update(_id, { sparse: odd })).rejects.toMatchObject({ issues: [{ path: 'sparse' }] })
    }
    for (const nothing of [undefined, null]) {
      const min = change.min(nothing as never)
      await expect(gauges().update(_id, { sparse: min })).rejects.toMatchObject({ issues: [{ path: 'sparse' }] })
    }
    await expect(gauges().update(_id, { scales: change.push('nope') })).rejects.toMatchObject({
      issues: [{ path: 'scales' }],
    })
    const updated = await gauges().update(_id, {
      even: change.max(6),
      scales: change.push(' b '),
      count: change.inc(1),
    })
    expect(updated).toMatchObject({ even: 6, scales: ['a', 'b'], count: 1 })
  })

  it('is the library’s alone: the server does not know it', async () => {
    const { _id } = await gauges().create({ even: 2 })
    await database.db.collection('gauges').updateOne({ _id }, { $inc: { even: 1 } })
    expect(await gauges().get(_id)).toMatchObject({ even: 3 })
  })
})

it('changes values on their way in, as .trim() and .toUpperCase() say', async () => {
  const { _id, code } = await gauges().create({ code: ' ab ' })
  expect(code).toBe('AB')
  expect(await gauges().update(_id, { code: ' cd ' })).toMatchObject({ code: 'CD' })
  const document = await gauges().getDocument(_id)
  document.set('code', ' ef ')
  await document.save()
  expect(await gauges().get(_id)).toMatchObject({ code: 'EF' })
})
