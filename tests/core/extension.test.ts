import { ObjectId } from 'mongodb'
import mongoose, { Schema } from 'mongoose'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { AutoVolt } from '../../src/autovolt.js'
import { defineEntity, type Input, type Stored } from '../../src/core/entity.js'
import { objectId } from '../../src/core/fields.js'
import { where } from '../../src/core/repository/conditions.js'
import { classroomEntity } from '../../src/devices/classroom.js'
import { deviceEntity } from '../../src/devices/device.js'
import { userEntity } from '../../src/identity/user.js'
import { aClassroom, aDevice, keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()

const assetEntity = deviceEntity.extend({
  fields: {
    assetTag: z.string().regex(/^A-\d{4}$/),
    supplier: z.strictObject({ name: z.string(), phone: z.string().optional() }).optional(),
    bought: z.date().optional(),
    retired: z.date().optional(),
    visits: z.int().min(0).default(0),
  },
  secrets: { pin: z.string().length(6).optional() },
  rules: [
    {
      path: 'retired',
      message: 'is before it was bought',
      check: ({ bought, retired }) => !(bought instanceof Date && retired instanceof Date && retired < bought),
      expression: {
        $or: [
          { $ne: [{ $type: '$bought' }, 'date'] },
          { $ne: [{ $type: '$retired' }, 'date'] },
          { $gte: ['$retired', '$bought'] },
        ],
      },
    },
  ],
  indexes: [{ key: { assetTag: 1 }, unique: true, serves: 'a device by its tag' }],
  virtuals: { label: ({ assetTag, name }: { assetTag: string; name: string }) => `${assetTag} ${name}` },
  methods: {
    isRetired(this: { retired?: Date }) {
      return this.retired !== undefined
    },
  },
  statics: {
    tagsInUse(this: { distinct(field: string): unknown }) {
      return this.distinct('assetTag')
    },
  },
})

async function openWithAssets({ uri, dbName }: TestDatabase) {
  const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first'), entities: { devices: assetEntity } })
  cleanUpLater(() => volt.close())
  await volt.setup()
  return volt
}

let serial = 1000
const anAsset = (overrides: Partial<Input<typeof assetEntity>> = {}) => {
  serial += 1
  return { ...aDevice(), assetTag: `A-${serial}`, ...overrides }
}

describe('an entity with fields of the host', () => {
  it('stores them, fills in their defaults and reads them typed', async () => {
    const volt = await openWithAssets(database)
    const { _id } = await volt.devices.create(anAsset({ supplier: { name: 'ACME' } }))
    const found = await volt.devices.get(_id)
    expect(found).toMatchObject({ supplier: { name: 'ACME' }, visits: 0 })
    expectTypeOf(found.supplier).toEqualTypeOf<{ name: string; phone?: string | undefined } | undefined>()
    expectTypeOf(found.visits).toEqualTypeOf<number>()
    expectTypeOf(found.switches[0]?.gpio).toEqualTypeOf<number | undefined>()
    const byTag = await volt.devices.findByMacAddress(found.macAddress!)
    expectTypeOf(byTag?.assetTag).toEqualTypeOf<string | undefined>()
    expect(byTag?.assetTag).toBe(found.assetTag)
  })

  it('refuses bad ones like its own: repository, model and server', async () => {
    const volt = await openWithAssets(database)
    const bad = { ...anAsset(), assetTag: 'B-1' }
    await expect(volt.devices.create(bad)).rejects.toMatchObject({ issues: [{ path: 'assetTag' }] })
    await expect(new volt.devices.model(bad).save()).rejects.toMatchObject({ issues: [{ path: 'assetTag' }] })
    const { _id, ...stored } = await volt.devices.create(anAsset())
    const raw = database.db.collection('devices')
    await expect(raw.insertOne({ ...stored, assetTag: 'B-1' })).rejects.toMatchObject({ code: 121 })
    await expect(raw.updateOne({ _id }, { $set: { 'supplier.fax': '1' } })).rejects.toMatchObject({ code: 121 })
    const { assetTag, ...without } = anAsset()
    // @ts-expect-error the host's own field is required
    await expect(volt.devices.create(without)).rejects.toMatchObject({ issues: [{ path: 'assetTag' }] })
    await expect(volt.devices.create({ ...anAsset(), colour: 'red' } as never)).rejects.toMatchObject({
      issues: [{ path: 'colour', message: 'is not a field' }],
    })
  })

  it('holds to its rules across fields, in inputs and in updates', async () => {
    const volt = await openWithAssets(database)
    const bought = new Date('2026-02-01')
    const early = new Date('2026-01-01')
    const issue = { path: 'retired', message: 'is before it was bought' }
    await expect(volt.devices.create(anAsset({ bought, retired: early }))).rejects.toMatchObject({ issues: [issue] })
    const { _id } = await volt.devices.create(anAsset({ bought }))
    await expect(volt.devices.update(_id, { retired: early })).rejects.toMatchObject({ issues: [issue] })
    expect(await volt.devices.update(_id, { retired: new Date('2026-03-01') })).toMatchObject({ __v: 1 })
  })

  it('builds its indexes, and names the field and the value of a conflict', async () => {
    const volt = await openWithAssets(database)
    const { assetTag } = await volt.devices.create(anAsset())
    await expect(volt.devices.create(anAsset({ assetTag }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `There is already a device with assetTag "${assetTag}"`,
      fields: ['assetTag'],
      values: { assetTag },
    })
  })

  it('seals its secrets, beside those that were there', async () => {
    const volt = await openWithAssets(database)
    const secret = 'a secret of sixteen characters'
    const created = await volt.devices.create(anAsset({ pin: '123456', secret }))
    expect(created).not.toHaveProperty('pin')
    // @ts-expect-error secrets are not part of what is read
    expect(created.pin).toBeUndefined()
    const stored = await database.db.collection('devices').findOne({ _id: created._id })
    expect(stored?.pin).toMatch(/^av1\.first\./)
    expect(await volt.devices.revealSecret(created._id, 'pin')).toBe('123456')
    expect(await volt.devices.revealDeviceSecret(created._id)).toBe(secret)
  })

  it('gives documents its virtuals and methods, and the model its statics', async () => {
    const volt = await openWithAssets(database)
    const { _id, name, assetTag } = await volt.devices.create(anAsset())
    const document = await volt.devices.getDocument(_id)
    expect(document.get('label')).toBe(`${assetTag} ${name}`)
    expect((document as unknown as { isRetired(): boolean }).isRetired()).toBe(false)
    const model = volt.devices.model as unknown as { tagsInUse(): Promise<string[]> }
    expect(await model.tagsInUse()).toContain(assetTag)
  })

  it('is filtered, sorted and selected by them', async () => {
    const volt = await openWithAssets(database)
    const { assetTag } = await volt.devices.create(anAsset({ supplier: { name: 'Filtered' } }))
    const [found] = await volt.devices.find(
      { 'supplier.name': 'Filtered', visits: where.lt(1) },
      { sort: { assetTag: -1 }, select: ['assetTag'] },
    )
    expect(found).toEqual({ _id: expect.any(ObjectId), assetTag })
    expectTypeOf(found).toEqualTypeOf<{ readonly _id: ObjectId; assetTag: string } | undefined>()
    // @ts-expect-error a number is no condition for a text
    await volt.devices.find({ assetTag: where.gt(5) })
    // @ts-expect-error no such field
    await expect(volt.devices.find({ assetTg: 'A-1' })).rejects.toThrow('assetTg')
  })

  it('refuses to declare a field anew', () => {
    expect(() => deviceEntity.extend({ fields: { name: z.string() } })).toThrow(
      'The entity device has the fields name already',
    )
    expect(() => deviceEntity.extend({ fields: {}, secrets: { macAddress: z.string() } })).toThrow('macAddress already')
    expect(() => deviceEntity.extend({ fields: { secret: z.string() } })).toThrow('secret already')
    expect(() => deviceEntity.extend({ fields: { __v: z.number() } })).toThrow('cannot have fields named __v')
    expect(() => deviceEntity.extend({ fields: { 'a.b': z.number(), $c: z.number() } })).toThrow('named a.b, $c')
    expect(() => deviceEntity.extend({ fields: { isNew: z.boolean() } })).toThrow('cannot have fields named isNew')
  })

  it('is possible of every entity of ours, and typed', async () => {
    const entities = { users: userEntity.extend({ fields: { badge: z.string().optional() } }) }
    const volt = await openVolt(testDatabase(), { entities })
    await volt.setup()
    const { badge } = await volt.users.create({ email: 'a@b.example', name: 'Ann', badge: 'B-7' })
    expect(badge).toBe('B-7')
    expectTypeOf(badge).toEqualTypeOf<string | undefined>()
  })

  it('takes no entity of another kind in its place', async () => {
    // @ts-expect-error a classroom is no device
    const open = () => AutoVolt.open({ uri: 'mongodb://localhost', entities: { devices: classroomEntity } })
    await expect(open()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: '`entities.devices` is not an entity of ours that was extended',
    })
  })
})

describe('collections under other names', () => {
  it('are set up and used under those', async () => {
    const own = testDatabase()
    const volt = await openVolt(own, { collections: { classrooms: 'rooms', ledger: 'energy_ledger' } })
    await volt.setup()
    await volt.classrooms.create(aClassroom())
    expect(await own.db.collection('rooms').countDocuments()).toBe(1)
    const names = (await own.db.listCollections().toArray()).map(({ name }) => name)
    expect(names).toContain('energy_ledger')
    expect(names).not.toContain('classrooms')
    expect(volt.entityOf('classrooms').collection).toBe('rooms')
  })

  it('are refused where two would be one, or there is none to rename', async () => {
    const { uri, dbName } = database
    await expect(AutoVolt.open({ uri, dbName, collections: { devices: 'classrooms' } })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: 'Two entities cannot share the collection classrooms',
    })
    await expect(AutoVolt.open({ uri, dbName, collections: { rooms: 'x' } as never })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: 'There is no collection rooms to rename',
    })
  })
})

describe("an entity of the host's own", () => {
  const ticketEntity = defineEntity({
    name: 'ticket',
    collection: 'tickets',
    fields: {
      device: objectId(),
      title: z.string().min(1),
      open: z.boolean().default(true),
      priority: z.int().optional(),
    },
    indexes: [{ key: { device: 1, title: 1 }, unique: true, serves: 'a ticket of a device' }],
  })
  type Ticket = Stored<typeof ticketEntity>

  it('is set up with ours and has a repository like ours', async () => {
    const own = testDatabase()
    const volt = await openVolt(own, { hostEntities: [ticketEntity] })
    const report = await volt.setup()
    expect(report.collections.map(({ collection }) => collection)).toContain('tickets')
    const tickets = volt.repository(ticketEntity)
    expect(volt.repository(ticketEntity)).toBe(tickets)
    const ticket = await tickets.create({ device: new ObjectId().toHexString(), title: 'It hums' })
    expectTypeOf(ticket).toEqualTypeOf<Ticket>()
    expect(ticket).toMatchObject({ device: expect.any(ObjectId), open: true, __v: 0 })
    // @ts-expect-error a title is required
    await expect(tickets.create({ device: new ObjectId() })).rejects.toThrow('title')
    // @ts-expect-error there is no such field to change
    await expect(tickets.update(ticket._id, { colour: 'red' })).rejects.toThrow('colour')
  })
})

describe('handles side by side', () => {
  it('keep apart on two databases', async () => {
    const [one, two] = await Promise.all([openVolt(testDatabase()), openVolt(testDatabase())])
    await Promise.all([one.setup(), two.setup()])
    const { name } = await one.classrooms.create(aClassroom())
    await two.classrooms.create(aClassroom({ name }))
    expect(await one.classrooms.count()).toBe(1)
    await one.close()
    expect(await two.classrooms.count()).toBe(1)
  })

  it('keep apart on one connection, with entities and collections of their own', async () => {
    const own = testDatabase()
    const connection = await mongoose.createConnection(own.uri, { dbName: own.dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const plain = AutoVolt.attach(connection)
    const extended = AutoVolt.attach(connection, {
      entities: { classrooms: classroomEntity.extend({ fields: { seats: z.int() } }) },
      collections: { classrooms: 'rooms' },
    })
    await plain.setup()
    await extended.setup()
    await plain.classrooms.create(aClassroom())
    const room = await extended.classrooms.create({ ...aClassroom(), seats: 30 })
    await new extended.classrooms.model({ ...aClassroom(), seats: 31 }).save()
    await new plain.classrooms.model({ ...aClassroom() }).save()
    expect([await plain.classrooms.count(), await extended.classrooms.count()]).toEqual([2, 2])
    expectTypeOf(room.seats).toEqualTypeOf<number>()

    await plain.close()
    await expect(plain.classrooms.count()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await extended.classrooms.count()).toBe(2)
    expect(connection.readyState).toBe(1)
  })

  it("leave the host's own models alone, of the same names on the same collections", async () => {
    const own = testDatabase()
    const connection = await mongoose.createConnection(own.uri, { dbName: own.dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const Device = connection.model('Device', new Schema({ name: String }, { collection: 'devices' }))
    const device = connection.model('device', new Schema({ title: String }, { collection: 'host_devices' }))
    const before = connection.modelNames()
    const volt = AutoVolt.attach(connection, { keys: keyRing('first') })
    await volt.setup()
    const { _id } = await volt.devices.create(aDevice({ name: 'Both see it' }))
    const ours = await volt.devices.getDocument(_id)
    expect((await Device.findById(_id))?.get('name')).toBe('Both see it')
    await device.create({ title: 'mine' })
    expect(ours.get('macAddress')).toMatch(/^[0-9A-F:]{17}$/)
    await volt.close()
    expect(connection.modelNames()).toEqual(before)
  })

  it("survive the host's syncIndexes(), which drops what no model declares", async () => {
    const own = testDatabase()
    const connection = await mongoose.createConnection(own.uri, { dbName: own.dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const volt = AutoVolt.attach(connection)
    await volt.setup()
    expect(volt.devices.model.modelName).toBeDefined()
    expect(volt.classrooms.model.modelName).toBeDefined()
    await connection.syncIndexes()
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('refuse a connection that is not open', () => {
    expect(() => AutoVolt.attach(mongoose.createConnection())).toThrow(
      'The connection is not open; await connection.asPromise() before AutoVolt.attach()',
    )
  })
})
