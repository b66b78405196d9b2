import { randomUUID } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineAppendOnlyEntity, defineEntity, type StoredFields } from '../../src/core/entity.js'
import type { IndexDefinition } from '../../src/core/index-definition.js'
import type { Repository } from '../../src/core/repository/repository.js'
import { validateData } from '../../src/core/validate.js'
import { classroomEntity } from '../../src/devices/classroom.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const field = (schema: unknown) => () =>
  defineEntity({ name: 'visit', collection: 'visits', fields: { who: schema as z.ZodString } })
const configuration = (message: string) =>
  expect.objectContaining({ name: 'DatabaseError', code: 'CONFIGURATION', message: expect.stringContaining(message) })

describe('a declaration is refused', () => {
  it.each([
    ['a name of a type instead of a schema', 'string'],
    ['no schema at all', undefined],
    ['something other than a schema inside', z.array('string' as never)],
  ])('that has %s', (_, schema) => {
    expect(field(schema)).toThrow(configuration('The field who is no zod schema'))
    expect(() => classroomEntity.extend({ fields: { who: schema as never } })).toThrow(configuration('who'))
  })

  it('that has a bigint, which would be read back as a number', () => {
    expect(field(z.bigint().optional())).toThrow(configuration('who is a bigint'))
    expect(field(z.array(z.strictObject({ total: z.int64() })))).toThrow(configuration('who.total is a bigint'))
    const timeSeries = { timeField: 'at' }
    const fields = { at: z.date(), total: z.bigint() }
    expect(() => defineAppendOnlyEntity({ name: 'x', collection: 'x', fields, timeSeries })).toThrow(
      'total is a bigint',
    )
  })

  it('whose objects exclude each other or contain themselves', () => {
    const both = z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() }))
    expect(field(both)).toThrow(configuration('who is an intersection'))
    const node = z.strictObject({
      name: z.string(),
      get next() {
        return node.optional()
      },
    })
    expect(field(node)).toThrow(configuration('contains itself'))
  })

  it.each(['', 'a$b', 'system.views', '.hidden', 'trailing.', 'nul\0', 'x'.repeat(236), 5, undefined])(
    'for the collection %j',
    (collection) => {
      const name = collection as string
      const message = configuration('A collection cannot be named')
      expect(() => defineEntity({ name: 'visit', collection: name, fields: {} })).toThrow(message)
      expect(() => classroomEntity.inCollection(name)).toThrow(message)
    },
  )

  it('with an index on what is not a field', () => {
    const declare = (key: IndexDefinition['key']) => () =>
      defineEntity({
        name: 'visit',
        collection: 'visits',
        fields: { who: z.string(), stops: z.array(z.strictObject({ place: z.string() })) },
        indexes: [{ key, serves: 'nothing' }],
      })
    expect(declare({ whom: 1 })).toThrow(configuration('an index on whom, which is not a field'))
    expect(declare({ 'stops.where': 1 })).toThrow(configuration('stops.where'))
    expect(declare({ deletedAt: 1 })).toThrow(configuration('deletedAt'))
    expect(declare({ who: 1, 'stops.place': 1, createdAt: 1 })).not.toThrow()
  })
})

describe('an object inside a document', () => {
  const place = z.object({ city: z.string(), geo: z.object({ lat: z.number() }).optional() }).meta({ title: 'A place' })
  const visitEntity = defineEntity({
    name: 'visit',
    collection: 'visits',
    fields: {
      place: place.optional(),
      stops: z.array(place).default([]),
      way: z
        .discriminatedUnion('by', [z.object({ by: z.literal('rail') }), z.object({ by: z.literal('road') })])
        .optional(),
      byDay: z.record(z.string(), z.object({ hours: z.number() })).optional(),
      pair: z.tuple([z.object({ x: z.number() })]).optional(),
      later: z.lazy(() => z.object({ y: z.number() })).optional(),
    },
  })

  it.each([
    ['place.extra', { place: { city: 'Pune', extra: 1 } }],
    ['place.geo.extra', { place: { city: 'Pune', geo: { lat: 1, extra: 1 } } }],
    ['stops.0.extra', { stops: [{ city: 'Pune', extra: 1 }] }],
    ['way.extra', { way: { by: 'road', extra: 1 } }],
    ['byDay.monday.extra', { byDay: { monday: { hours: 1, extra: 1 } } }],
    ['pair.0.extra', { pair: [{ x: 1, extra: 1 }] }],
    ['later.extra', { later: { y: 1, extra: 1 } }],
  ])('refuses an unknown field at %s, wherever the document comes in', async (path, input) => {
    const own = testDatabase()
    const volt = await openVolt(own, { hostEntities: [visitEntity] })
    await volt.setup()
    const visits = volt.repository(visitEntity)
    const refusal = { name: 'ValidationError', issues: [{ path, message: 'is not a field' }] }
    await expect(visits.create(input as never)).rejects.toMatchObject(refusal)
    const { _id } = await visits.create({})
    await expect(visits.update(_id, input as never)).rejects.toMatchObject(refusal)
    await expect((async () => new visits.model(input as never).save())()).rejects.toMatchObject({ code: 'VALIDATION' })
    const now = new Date()
    const stored = { _id: new ObjectId(), stops: [], createdAt: now, updatedAt: now, __v: 0 }
    await own.db.collection('visits').insertOne({ ...stored })
    const raw = { ...stored, ...input, _id: new ObjectId() }
    await expect(own.db.collection('visits').insertOne(raw)).rejects.toMatchObject({ code: 121 })
  })
})

it('makes a default anew for each object', () => {
  const entity = defineEntity({
    name: 'visit',
    collection: 'visits',
    fields: { parts: z.array(z.object({ id: z.uuid().default(() => randomUUID()) })) },
  })
  const { parts } = validateData(entity.inputSchema, { parts: [{}, {}] }) as { parts: { id: string }[] }
  expect(parts[0]?.id).not.toBe(parts[1]?.id)
})

describe('a field whose parts have any name', () => {
  const labelled = defineEntity({
    name: 'labelled',
    collection: 'labelled',
    fields: {
      labels: z.record(z.string(), z.string()).optional(),
      list: z.array(z.strictObject({ more: z.record(z.string(), z.number()) })).optional(),
      free: z.any().meta({ bsonType: 'object' }).optional(),
    },
  })
  const own = testDatabase()

  it.each(['$where', 'a.b', '__proto__', 'constructor', '_bsontype', 'nul\0'])('refuses the name %j', async (name) => {
    const volt = await openVolt(own, { hostEntities: [labelled] })
    await volt.setup()
    const repository = volt.repository(labelled) as unknown as Repository<StoredFields, object>
    const record = (value: unknown) => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`)
    const { _id } = await repository.create({ labels: { ok: 'x' } })
    for (const [input, path] of [
      [{ labels: record('x') } as object, `labels.${name}`],
      [{ list: [{ more: record(1) }] }, `list.0.more.${name}`],
      [{ free: { deep: record(1) } }, `free.deep.${name}`],
    ] as const) {
      const refusal = { name: 'ValidationError', issues: [{ path }] }
      await expect(repository.create(input)).rejects.toMatchObject(refusal)
      const second = { issues: [{ path: `1.${path}` }] }
      await expect(repository.createMany([{}, input])).rejects.toMatchObject(second)
      await expect(repository.update(_id, input)).rejects.toMatchObject(refusal)
      await expect(repository.bulk([{ create: input }])).rejects.toMatchObject(refusal)
      await expect(repository.upsert({ _id }, { _id, ...input })).rejects.toMatchObject(refusal)
    }
    const save = async () => new repository.model({ labels: record('x') } as never).save()
    // Mongoose itself leaves this one out.
    if (name !== '__proto__') await expect(save()).rejects.toMatchObject({ code: 'VALIDATION' })
    expect(await repository.find({ _id })).toMatchObject([{ labels: { ok: 'x' } }])
  })
})
