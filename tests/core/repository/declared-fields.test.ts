import fc from 'fast-check'
import { Binary, Decimal128, type Document, Double, Long, ObjectId, Timestamp, UUID } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../../src/autovolt.js'
import { shownFields, storedFields } from '../../../src/core/declared-fields.js'
import { defineEntity } from '../../../src/core/entity.js'
import { objectId } from '../../../src/core/fields.js'
import { classroomEntity } from '../../../src/devices/classroom.js'
import { deviceEntity } from '../../../src/devices/device.js'
import { aClassroom, aDevice } from '../../support/builders.js'
import { testDatabase } from '../../support/database.js'
import { hasLegacyDocuments, legacyDocuments } from '../../support/legacy-documents.js'
import { openVolt } from '../../support/volt.js'

const database = testDatabase()
const raw = database.db.collection<Document>('devices')
const hidden = 'hidden-value'
let volt: AutoVolt
let id: ObjectId

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  await database.db.command({ collMod: 'devices', validationLevel: 'off' })
})

/** A device with what the library does not declare: at its top, in a switch, in an object, and in the place of a text. */
beforeEach(async () => {
  await raw.deleteMany({})
  const { _id } = await volt.devices.create(aDevice({ name: 'Box', secret: 'sealed-secret-of-a-box' }))
  id = _id
  await raw.updateOne({ _id }, [
    {
      $set: {
        password: hidden,
        deviceSecret: hidden,
        nested: { token: hidden },
        firmwareVersion: { hash: hidden },
        boot: { id: '1', startedAt: '$createdAt', token: hidden },
        switches: { $map: { input: '$switches', in: { $mergeObjects: ['$$this', { pin: hidden }] } } },
      },
    },
  ])
})

/** Everything of it that could be shown. */
const textOf = (value: unknown): string => {
  const seen = new WeakSet()
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'object' && inner !== null) {
      if (seen.has(inner)) return undefined
      seen.add(inner)
    }
    return inner
  })
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

function expectDeclared(shown: unknown): void {
  expect(textOf(shown)).toContain('Box')
  expect(textOf(shown)).not.toContain(hidden)
  expect(textOf(shown)).not.toContain('av1.')
}

describe('what a document has besides its declared fields', () => {
  it('is in the database', async () => {
    expect(textOf(await raw.findOne({ _id: id })).split(hidden)).toHaveLength(8)
  })

  it('is in nothing that a repository reads', async () => {
    expectDeclared(await volt.devices.get(id))
    expectDeclared(await volt.devices.get(id, { withDeleted: true }))
    expectDeclared(await volt.devices.get(id, { select: ['name', 'switches', 'boot', 'firmwareVersion'] }))
    expectDeclared(await volt.devices.findOne({ name: 'Box' }))
    expectDeclared(await volt.devices.findOne({ name: 'Box' }, { select: ['switches', 'name'] }))
    expectDeclared(await volt.devices.find())
    expectDeclared((await volt.devices.page()).items)
    expectDeclared((await volt.devices.after()).items)
    expectDeclared((await volt.devices.after({}, { select: ['name', 'boot'] })).items)
    expectDeclared(await collect(volt.devices.stream()))
    expectDeclared(await volt.devices.findByMacAddress((await volt.devices.get(id)).macAddress!))
    expectDeclared(await volt.transaction(() => volt.devices.find()))
  })

  it('is in nothing that a repository writes', async () => {
    expectDeclared(await volt.devices.update(id, { ledgerRecording: 'readings' }))
    const { macAddress, classroom } = await volt.devices.get(id)
    expectDeclared(await volt.devices.upsert({ macAddress }, { name: 'Box', macAddress, classroom }))
    expectDeclared(
      await volt.devices.upsert({ macAddress }, { name: 'Box', macAddress, classroom, secret: 'another-secret-here' }),
    )
    await volt.devices.delete(id)
    expectDeclared(await volt.devices.restore(id))
  })

  it('is in no change that is watched', async () => {
    const changes = await volt.devices.watch()
    await volt.devices.update(id, { ledgerRecording: 'readings' })
    await raw.updateOne({ _id: id }, { $set: { password: `${hidden} anew` } })
    const { value: updated } = await changes.next()
    expectDeclared(updated)
    expectDeclared((await changes.next()).value)
    const document = await raw.findOne({ _id: id })
    await raw.replaceOne({ _id: id }, { ...document, __v: 7 })
    expectDeclared((await changes.next()).value)
    await changes.return()
  })

  it('is in no document of Mongoose, nor in its JSON', async () => {
    const document = await volt.devices.getDocument(id)
    for (const shown of [
      document,
      document.toJSON(),
      document.toObject(),
      document.get('password'),
      document.get('nested'),
    ]) {
      expect(String(textOf(shown))).not.toContain(hidden)
    }
    expectDeclared(document)
    expectDeclared(await volt.devices.findDocuments())
    expectDeclared(await volt.devices.model.findById(id))
    expectDeclared(await volt.devices.model.findOneAndUpdate({ _id: id }, { ledgerRecording: 'readings' }))
    expect(textOf(volt.devices.model.hydrate(await raw.findOne({ _id: id })))).not.toContain(hidden)
    expectDeclared(await collect(volt.devices.model.find().cursor()))
  })

  it('is in nothing lean', async () => {
    const { model } = volt.devices
    expectDeclared(await model.find().lean())
    expectDeclared(await model.findOne({ _id: id }).lean())
    expectDeclared(await model.findById(id, null, { lean: true }))
    expectDeclared(await model.find({}, { createdAt: 0 }).lean())
    expectDeclared(await collect(model.find().lean().cursor()))
    expectDeclared(await model.findOneAndUpdate({ _id: id }, { ledgerRecording: 'readings' }, { lean: true }))
    const options = { lean: true, includeResultMetadata: true } as const
    expectDeclared(await model.findOneAndUpdate({ _id: id }, { ledgerRecording: 'readings' }, options))
    expect(await model.findOne({ name: 'nobody' }).lean()).toBeNull()
    expectDeclared(await model.findOneAndDelete({ _id: id }).lean())
  })

  it('is in nothing that is aggregated by the model', async () => {
    const { model } = volt.devices
    const whole = [{ $group: { _id: null, all: { $push: '$$ROOT' } } }]
    // In place of the text there is an object: a projection shows a field whole.
    await raw.updateOne({ _id: id }, { $unset: { firmwareVersion: 1 } })
    expectDeclared(await model.aggregate([]))
    expectDeclared(await model.aggregate([{ $match: { name: 'Box' } }, { $sort: { name: 1 } }, { $limit: 1 }]))
    expectDeclared(await model.aggregate(whole as never))
    expectDeclared(await model.aggregate([{ $match: { name: 'Box' } }, { $facet: { all: [{ $limit: 1 }] } }]))
    expectDeclared(await collect(model.aggregate([{ $match: { _id: id } }]).cursor()))
    const [counted] = await model.aggregate([{ $collStats: { count: {} } }])
    expect(counted).toMatchObject({ count: 1 })
    const plan = await model.aggregate([{ $match: { classroom: id } }, { $sort: { name: 1, _id: 1 } }]).explain()
    expect(JSON.stringify(plan)).toContain('classroom_1_name_1__id_1')
    expect(JSON.stringify(plan)).not.toContain('"stage":"SORT"')
  })

  it('does not keep a document of Mongoose from being saved, and stays as it is', async () => {
    const document = await volt.devices.getDocument(id)
    document.set('firmwareVersion', '2.0')
    await document.save()
    const stored = await raw.findOne({ _id: id })
    expect(stored).toMatchObject({ firmwareVersion: '2.0', password: hidden, nested: { token: hidden }, __v: 1 })
    expect(stored?.switches).toMatchObject([{ pin: hidden }, { pin: hidden }])
  })
})

describe('declared fields', () => {
  const anything = () => z.any().meta({ bsonType: ['object', 'array', 'string'] })

  it('are shown if a host has declared them, in fields of its own and in those with names of any kind', async () => {
    const own = testDatabase()
    const extended = classroomEntity.extend({
      fields: { wing: z.string().optional(), labels: z.record(z.string(), anything()).optional() },
    })
    const first = await openVolt(own, { entities: { classrooms: extended } as never })
    await first.setup()
    const labels = { colour: 'red', anything: { at: ['all', { deep: 1 }] } }
    const room = await (first.classrooms as never as { create(input: object): Promise<object> }).create({
      ...aClassroom(),
      wing: 'east',
      labels,
    })
    expect(room).toMatchObject({ wing: 'east', labels })
    expect(await first.classrooms.find()).toMatchObject([{ wing: 'east', labels }])
    expect(await first.classrooms.findDocuments()).toMatchObject([{ wing: 'east' }])
    expect(await first.classrooms.model.find().lean()).toMatchObject([{ wing: 'east', labels }])

    const second = await openVolt(own)
    const [shown] = await second.classrooms.find()
    expect(shown).not.toHaveProperty('wing')
    expect(shown).not.toHaveProperty('labels')
  })

  const everything = defineEntity({
    name: 'everything',
    collection: 'everything',
    fields: {
      text: z.string().optional(),
      id: objectId().optional(),
      inner: z.object({ a: z.number(), deep: z.object({ b: z.string() }).optional() }).optional(),
      loose: z
        .object({ known: z.object({ a: z.string() }) })
        .catchall(anything())
        .optional(),
      list: z.array(z.object({ a: z.number() })).optional(),
      map: z.record(z.string(), z.object({ a: z.number() })).optional(),
      either: z.union([z.string(), z.object({ a: z.number() }), z.array(z.object({ b: z.number() }))]).optional(),
      any: anything().optional(),
    },
    secrets: { secret: z.string().optional() },
  })
  const of = (document: object) => shownFields(everything, document)

  it('are kept at every depth, and nothing else is', () => {
    const odd = { a: 1, x: hidden }
    const document = {
      text: odd,
      inner: { ...odd, deep: { b: 'b', ...odd } },
      loose: { known: { a: 'a', x: hidden }, other: odd },
      list: [odd, 'text', [odd], { a: odd }],
      map: { one: odd, two: 'text' },
      either: odd,
      any: odd,
      secret: 'sealed',
      x: hidden,
    }
    expect(of(document)).toEqual({
      text: {},
      inner: { a: 1, deep: { b: 'b' } },
      loose: { known: { a: 'a' }, other: odd },
      list: [{ a: 1 }, 'text', [{}], { a: {} }],
      map: { one: { a: 1 }, two: 'text' },
      either: { a: 1 },
      any: odd,
    })
    expect(of({ either: [{ b: 1, x: 1 }] })).toEqual({ either: [{ b: 1 }] })
    expect(storedFields(everything, document)).toHaveProperty('secret')
    expect(document.inner.x).toBe(hidden)
  })

  it('are the document itself where there is nothing else', () => {
    const values = [new ObjectId(), new Date(), new Decimal128('1'), new Long(1), new Double(1), new UUID(), null]
    const instances = [
      ...values,
      new Binary(Buffer.alloc(3)),
      new Timestamp({ t: 1, i: 1 }),
      Buffer.alloc(1),
      undefined,
    ]
    for (const value of instances) {
      const document = { _id: new ObjectId(), text: value, inner: { a: value }, list: [{ a: value }, value] }
      expect(of(document)).toBe(document)
    }
    expect(of({ text: { _bsontype: 'ObjectId', x: hidden } })).toEqual({ text: {} })
  })

  it('are all that is left of any document, and are left of it as they were', () => {
    const { shape } = deviceEntity.storedSchema
    const secrets = ['secret', 'wifiPassword']
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(shape)), fc.string()), fc.jsonValue()),
        (document) => {
          const shown: Readonly<Record<string, unknown>> = shownFields(deviceEntity, document)
          for (const name of Object.keys(shown)) expect(shape).toHaveProperty([name])
          for (const secret of secrets) expect(shown).not.toHaveProperty(secret)
          for (const [name, value] of Object.entries(document)) {
            const isShown = Object.hasOwn(shape, name) && !secrets.includes(name)
            expect(Object.hasOwn(shown, name)).toBe(isShown)
            if (isShown && typeof value !== 'object') expect(shown[name]).toBe(value)
          }
          expect(shownFields(deviceEntity, shown)).toEqual(shown)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe.skipIf(!hasLegacyDocuments)('documents of hosts from before the library (../shared/data/legacy)', () => {
  it.each(['users', 'devices', 'classrooms'] as const)('of %s show no password, token or secret', async (name) => {
    const own = testDatabase()
    const documents = legacyDocuments(name)
    await own.db.collection(name).insertMany(documents)
    const legacy = await openVolt(own)
    const repository = legacy[name] as unknown as typeof volt.users
    const shown = await repository.find()
    expect(shown).toHaveLength(documents.length)
    for (const text of [
      textOf(shown),
      textOf(await repository.model.find().lean()),
      textOf(await repository.findDocuments()),
    ]) {
      expect(text).not.toMatch(/\$2[aby]\$|password|secret|token|deviceSecret|phone/i)
    }
    const known = new Set(Object.keys(repository.entity.storedSchema.shape))
    for (const document of shown) for (const field of Object.keys(document)) expect(known).toContain(field)
  })
})
