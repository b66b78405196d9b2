import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { defineEntity, type Entity } from '../../src/core/entity.js'
import { validateData } from '../../src/core/validate.js'
import { classroomEntity } from '../../src/devices/classroom.js'
import { deviceEntity } from '../../src/devices/device.js'
import { userEntity } from '../../src/identity/user.js'
import { aDevice, aSwitch } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const entries = defineEntity({
  name: 'entry',
  collection: 'request_entries',
  fields: {
    code: z.string(),
    title: z.string().default('untitled'),
    approved: z.boolean().default(false),
    place: z.strictObject({ street: z.string(), verifiedAt: z.date().optional() }).optional(),
    lines: z.array(z.strictObject({ key: z.string().default('k'), text: z.string() })).default([]),
  },
  managed: ['place.verifiedAt', 'lines.key'],
  privileged: ['approved'],
  immutable: ['code', 'lines.key'],
})

const issuesOf = (schema: Entity['requestSchema'], data: unknown) => {
  try {
    validateData(schema, data)
    return []
  } catch (error) {
    return (error as { issues: { path: string; message: string }[] }).issues.map(({ path }) => path)
  }
}

describe('requestSchema', () => {
  it('takes what a request may say, with defaults, and leaves the rest to the host', () => {
    const given = { code: 'a', place: { street: 'Main' }, lines: [{ text: 'one' }] }
    expect(validateData(entries.requestSchema, given)).toEqual({ ...given, title: 'untitled' })
  })

  it('refuses managed and privileged fields, also inside objects and lists, and the _id', () => {
    const hostile = {
      _id: new ObjectId().toHexString(),
      code: 'a',
      approved: true,
      place: { street: 'Main', verifiedAt: new Date() },
      lines: [{ key: 'x', text: 'one' }],
      createdAt: new Date(),
      __v: 7,
    }
    expect(issuesOf(entries.requestSchema, hostile).sort()).toEqual(
      ['__v', '_id', 'approved', 'createdAt', 'lines.0.key', 'place.verifiedAt'].sort(),
    )
  })

  it('is what a host extends: its fields are in it, and those that it declares are not', () => {
    const extended = userEntity.extend({
      fields: { nickname: z.string().optional(), credit: z.number().default(0) },
      privileged: ['credit'],
    })
    const body = { email: 'a@example.org', name: 'Asha', nickname: 'A' }
    expect(validateData(extended.requestSchema, body)).toEqual(body)
    expect(
      issuesOf(extended.requestSchema, { ...body, credit: 5, userType: 'admin', status: 'active' }).sort(),
    ).toEqual(['credit', 'status', 'userType'])
  })

  it('leaves the rules to create(), which sees all fields', () => {
    const twice = [aSwitch({ gpio: 1 }), aSwitch({ gpio: 1 })].map(({ _id, ...one }) => one)
    const device = aDevice({ switches: twice })
    expect(issuesOf(deviceEntity.requestSchema, device)).toEqual([])
  })

  it('lets no request say what ingestion keeps of a device, whose it is, or what it proves itself by', () => {
    const { switches, ...device } = aDevice()
    const hostile = {
      ...device,
      owner: new ObjectId(),
      secret: 'sixteen characters',
      authentication: 'broker',
      hasSigned: true,
      run: { boot: 'b', sequences: [], latestAt: new Date() },
      pastRuns: [],
      status: 'online',
      statusAt: new Date(),
      lastSeenAt: new Date(),
      lastSignOfLifeAt: new Date(),
      alive: { since: new Date(), changes: 1 },
      boot: { id: 'b', startedAt: new Date() },
      repeatedHour: [],
      firmwareVersion: '1',
      switches: [{ ...switches?.[0], state: true, stateAt: new Date() }],
    }
    expect(issuesOf(deviceEntity.requestSchema, hostile)).toHaveLength(17)
    // Literally: whoever adds a field to devices decides whether requests may set it.
    expect(Object.keys((deviceEntity.requestSchema as unknown as z.ZodObject).shape)).toEqual([
      'name',
      'type',
      'protocol',
      'macAddress',
      'externalId',
      'classroom',
      'building',
      'floor',
      'location',
      'manufacturer',
      'model',
      'service',
      'capabilities',
      'specifications',
      'configuration',
      'communication',
      'alertLimits',
      'config',
      'hardware',
      'lastMaintenanceAt',
      'nextMaintenanceAt',
      'ipAddress',
      'batteryLevel',
      'energyRole',
      'ledgerRecording',
      'switches',
      'reportingPeriodMs',
    ])
    expect(issuesOf(classroomEntity.requestSchema, { name: 'Room', tariff: 'free' })).toEqual(['tariff'])
  })

  it('refuses a declaration that cannot be kept', () => {
    const define = (options: object) => () => {
      defineEntity({ name: 'entry', collection: 'entries', fields: { code: z.string() }, ...options })
    }
    expect(define({ managed: ['code'] })).toThrow(/has to be optional or to have a default/)
    expect(define({ privileged: ['missing'] })).toThrow(/missing .* is not a field/)
    expect(define({ managed: ['code.inner'] })).toThrow(/code\.inner .* is not a field/)
    expect(define({ immutable: ['missing'] })).toThrow(/cannot have an immutable missing/)
    expect(define({ fields: { a: z.strictObject({ b: z.string() }) }, immutable: ['a.b'] })).toThrow(/immutable a\.b/)
  })
})

describe('requestChangesSchema', () => {
  it('fills nothing in, and has no immutable field', () => {
    expect(validateData(entries.requestChangesSchema, {})).toEqual({})
    expect(validateData(entries.requestChangesSchema, { title: 'new' })).toEqual({ title: 'new' })
    expect(issuesOf(entries.requestChangesSchema, { code: 'b', approved: true, 'place.street': 'x' }).sort()).toEqual([
      'approved',
      'code',
      'place.street',
    ])
    expect(issuesOf(entries.requestChangesSchema, { title: undefined })).toEqual(['title'])
  })
})

describe('an immutable field', () => {
  let volt: AutoVolt
  const database = setUpDatabase()

  beforeAll(async () => {
    volt = await openVolt(database, { hostEntities: [entries] })
    await volt.setup()
  })

  it('is as the request that created it says; what requests give is what repositories take', async () => {
    const { switches: _, ...body } = aDevice()
    const input = validateData(deviceEntity.requestSchema, {
      ...body,
      switches: [{ name: 'Fan', gpio: 16, powerRating: 5 }],
    })
    const device = await volt.devices.create({ ...input, owner: new ObjectId() })
    const changes = validateData(deviceEntity.requestChangesSchema, { name: 'Renamed' })
    expect(await volt.devices.update(device._id, changes)).toMatchObject({ name: 'Renamed', switches: device.switches })
    const room = await volt.classrooms.create(validateData(classroomEntity.requestSchema, { name: 'Room 7' }))
    const larger = validateData(classroomEntity.requestChangesSchema, { capacity: 30 })
    expect(await volt.classrooms.update(room._id, larger)).toMatchObject({ capacity: 30 })
  })

  it('refuses every path to it', async () => {
    const repository = volt.repository(entries)
    const { _id } = await repository.create({ code: 'a', place: { street: 'Main' }, lines: [{ text: 'one' }] })
    for (const changes of [
      { code: 'b' },
      { 'lines.0.key': 'x' },
      { 'lines.0': { text: 'two' } },
      { 'lines.00000.key': 'x' },
    ]) {
      const path = Object.keys(changes)[0]
      await expect(repository.update(_id, changes as never)).rejects.toMatchObject({
        code: 'VALIDATION',
        issues: [{ path }],
      })
      await expect(repository.bulk([{ update: _id, changes: changes as never }])).rejects.toMatchObject({
        code: 'VALIDATION',
      })
    }
    expect(await repository.update(_id, { 'lines.0.text': 'two' })).toMatchObject({
      lines: [{ text: 'two', key: 'k' }],
    })
  })

  it('keeps a switch on its chain, whatever is changed of its device', async () => {
    const { _id, switches, macAddress } = await volt.devices.create(aDevice())
    const [first] = switches
    const foreign = aSwitch({ gpio: 16 })
    const refused = [
      () => volt.devices.update(_id, { 'switches.0._id': new ObjectId() }),
      () => volt.devices.update(_id, { 'switches.0': foreign } as never),
      () => volt.devices.update(_id, { switches: [foreign] }),
      () => volt.devices.bulk([{ update: _id, changes: { switches: [foreign] } }]),
      () => volt.devices.upsert({ macAddress }, aDevice({ macAddress, switches: [foreign] })),
    ]
    for (const change of refused) await expect(change()).rejects.toMatchObject({ code: 'VALIDATION' })
    const { _id: _, ...named } = { ...foreign, name: 'Renamed' }
    await volt.devices.bulk([{ update: _id, changes: { switches: [named] } }])
    expect((await volt.devices.get(_id)).switches).toMatchObject([{ _id: first?._id, name: 'Renamed' }])
  })

  it('is as it was for the Mongoose model', async () => {
    const { _id, switches } = await volt.devices.create(aDevice())
    const { model } = volt.devices
    const update = { $set: { 'switches.0._id': new ObjectId() } }
    await model.updateOne({ _id }, update)
    const document = await volt.devices.getDocument(_id)
    await expect(async () => document.set('switches.0._id', new ObjectId()).save()).rejects.toThrow()
    expect((await volt.devices.get(_id)).switches[0]?._id).toEqual(switches[0]?._id)
  })

  it('is set by an upsert only where it creates', async () => {
    const codes = defineEntity({
      name: 'code',
      collection: 'request_codes',
      fields: { key: z.string(), origin: z.string(), note: z.string() },
      immutable: ['origin'],
      indexes: [{ key: { key: 1 }, unique: true, serves: 'a code by key' }],
    })
    const repository = volt.repository(codes)
    expect(await repository.upsert({ key: 'a' }, { key: 'a', origin: 'one', note: 'x' })).toMatchObject({
      origin: 'one',
    })
    const again = await repository.upsert({ key: 'a' }, { key: 'a', origin: 'two', note: 'y' })
    expect(again).toMatchObject({ origin: 'one', note: 'y' })
  })
})
