import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { change } from '../../src/core/repository/changes.js'
import { where } from '../../src/core/repository/conditions.js'
import { userEntityWithRoles } from '../../src/identity/user.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

describe('the users', () => {
  it('have one user for an address, whatever its spelling', async () => {
    const user = await volt.users.create(aUser({ email: 'Asha@Example.org' }))
    expect(user).toMatchObject({ email: 'asha@example.org', userType: 'consumer', status: 'active', role: 'student' })
    expect(await volt.users.findOne({ email: 'ASHA@example.org ' })).toEqual(user)
    expect(await volt.users.findByEmail('ASHA@example.org ')).toEqual(user)
    await expect(volt.users.create(aUser({ email: 'asha@EXAMPLE.org' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      fields: ['email'],
    })
  })

  it.each(['no address', '', 'nobody@example.org'])('have none with the address %j', async (email) => {
    expect(await volt.users.findByEmail(email)).toBeNull()
  })

  it('are not found by an operator in the place of an address', async () => {
    await volt.users.createUser('operator@example.org', 'Operator')
    expect(await volt.users.findByEmail({ $ne: null } as never)).toBeNull()
  })

  it('have no address in another spelling, even past the library', async () => {
    const { _id } = await volt.users.create(aUser())
    const users = database.db.collection('users')
    await expect(users.updateOne({ _id }, { $set: { email: 'Asha@example.org' } })).rejects.toMatchObject({ code: 121 })
  })

  it('free the address and the wallet of one who is deleted', async () => {
    const walletAddress = `0x${'1'.repeat(40)}`
    const { _id } = await volt.users.create(aUser({ email: 'ravi@example.org', walletAddress }))
    await volt.users.delete(_id)
    const successor = await volt.users.create(aUser({ email: 'ravi@example.org', userType: 'prosumer', walletAddress }))
    expect(await volt.users.findByEmail('ravi@example.org')).toEqual(successor)
  })

  it('keep a name without the spaces around it', async () => {
    expect(await volt.users.createUser('spaced@example.org', '  Asha Rao\n')).toMatchObject({ name: 'Asha Rao' })
  })

  it('from before there were roles stay valid, are read as they are and can be changed', async () => {
    const { insertedId } = await database.db.collection('users').insertOne({
      email: 'earlier@example.org',
      name: 'Earlier',
      userType: 'staff',
      status: 'active',
      createdAt: new Date(),
      updatedAt: new Date(),
      __v: 0,
      deletedAt: null,
    })
    const read = await volt.users.get(insertedId)
    expect(read.role).toBeUndefined()
    const changed = await volt.users.update(insertedId, { name: 'Later' })
    expect(changed).toMatchObject({ name: 'Later', userType: 'staff' })
    expect(changed.role).toBeUndefined()
  })
})

describe('whether a user is active', () => {
  it('is found by, alone and beside other conditions, and says the same as the status', async () => {
    const name = `Group ${new ObjectId().toHexString()}`
    const statuses = ['active', 'inactive', 'suspended', 'pending'] as const
    for (const status of statuses) await volt.users.create(aUser({ name, status }))
    const found = async (filter: Parameters<typeof volt.users.find>[0]) =>
      (await volt.users.find(filter, { sort: { status: 1 } })).map(({ status }) => status)
    expect(await found({ name, isActive: true })).toEqual(['active'])
    expect(await found({ name, isActive: false })).toEqual(['inactive', 'pending', 'suspended'])
    expect(await found({ name, isActive: true, status: 'suspended' })).toEqual([])
    expect(await found(where.and({ name }, where.or({ isActive: true }, { status: 'pending' })))).toEqual([
      'active',
      'pending',
    ])
    expect(await volt.users.count({ name, isActive: false })).toBe(3)
    expect(
      await volt.users.findActive({ limit: 1000 }).then((users) => users.map(({ status }) => status)),
    ).not.toContain('suspended')
  })

  it('serves a walk along the index of the status', async () => {
    const slice = await volt.users.after({ isActive: true }, { sort: { name: 1 }, limit: 2 })
    expect(slice.items).toHaveLength(2)
  })

  it.each([1, 'true', null, { $ne: false }, where.ne(true)])(
    'is asked for with true or false, not with %j',
    async (value) => {
      await expect(volt.users.find({ isActive: value as never })).rejects.toMatchObject({
        code: 'VALIDATION',
        issues: [{ path: 'isActive', message: 'expected true or false' }],
      })
    },
  )

  it('is a virtual of Mongoose documents and no field to write', async () => {
    const { _id } = await volt.users.create(aUser({ status: 'suspended' }))
    const document = await volt.users.getDocument(_id)
    expect(Reflect.get(document, 'isActive')).toBe(false)
    document.set('isActive', true)
    await expect(document.save()).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path: 'isActive' }] })
    await expect(volt.users.model.create({ ...aUser(), isActive: true } as never)).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    await expect(volt.users.update(_id, { isActive: true } as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(
      database.db.collection('users').updateOne({ _id }, { $set: { isActive: true } }),
    ).rejects.toMatchObject({
      code: 121,
    })
  })
})

describe('a user', () => {
  it('has a full name: first and last where both are known', () => {
    expect(volt.users.fullName({ name: 'asha', firstName: 'Asha', lastName: 'Rao' })).toBe('Asha Rao')
    expect(volt.users.fullName({ name: 'asha', firstName: 'Asha' })).toBe('asha')
  })

  it('is shown without what only the library needs, the wallet with its checksum', async () => {
    const user = await volt.users.create(aUser({ walletAddress: '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed' }))
    const safe = volt.users.toSafeObject(user)
    expect(safe).toMatchObject({
      email: user.email,
      fullName: user.name,
      isActive: true,
      walletAddress: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    })
    expect(Object.keys(safe)).not.toEqual(expect.arrayContaining(['__v']))
    expect(Object.keys(safe)).not.toEqual(expect.arrayContaining(['deletedAt']))
  })

  it('has figures of the host’s, set and counted', async () => {
    const { _id } = await volt.users.create(aUser())
    await volt.users.updateStats(_id, { trades: 2, energy_kwh: 1.5 })
    await Promise.all(Array.from({ length: 10 }, () => volt.users.updateStats(_id, { trades: change.inc(1) })))
    expect((await volt.users.get(_id)).stats).toEqual({ trades: 12, energy_kwh: 1.5 })
    await expect(volt.users.updateStats(_id, { 'a.b': 1 })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.users.updateStats(_id, { trades: '1' as never })).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('has one wallet that nobody else has', async () => {
    const walletAddress = `0x${'Ab'.repeat(20)}`
    const { _id } = await volt.users.create(aUser({ walletAddress }))
    await volt.users.create(aUser())
    await volt.users.create(aUser())
    await expect(volt.users.create(aUser({ walletAddress: walletAddress.toLowerCase() }))).rejects.toMatchObject({
      code: 'CONFLICT',
      fields: ['walletAddress'],
    })
    expect(await volt.users.findOne({ walletAddress })).toMatchObject({ _id })
  })
})

describe('users around a place', () => {
  it('are paged by distance, those of a deleted user left out', async () => {
    const at = (latitude: number, longitude: number) => ({
      type: 'Point' as const,
      coordinates: [longitude, latitude] as [number, number],
    })
    const pune = await volt.users.create(aUser({ location: at(18.52, 73.85) }))
    const gone = await volt.users.create(aUser({ location: at(18.53, 73.86) }))
    await volt.users.delete(gone._id)
    await volt.users.create(aUser({ location: at(19.07, 72.87) }))
    const near = { latitude: 18.5, longitude: 73.9 }
    expect(await volt.users.pageAround(near, 20)).toMatchObject({ total: 1, items: [{ _id: pune._id }] })
    expect(await volt.users.pageAround(near, 200)).toMatchObject({ total: 2 })
    await expect(volt.users.pageAround({ latitude: 91, longitude: 0 }, 20)).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })
})

describe('the statistics of users', () => {
  it('count by role, type, status, way in and month', async () => {
    const other = setUpDatabase()
    let now = new Date('2026-01-31T23:59:59Z')
    const clock = { now: () => now }
    const counted = await openVolt(other, { clock })
    await counted.setup()
    expect(await counted.users.getStatistics()).toEqual({
      total: 0,
      byRole: {},
      byType: {},
      byStatus: {},
      byProvider: {},
      newPerMonth: [],
    })
    await counted.users.create(aUser({ role: 'admin', userType: 'admin' }))
    now = new Date('2026-02-01T00:00:00Z')
    await counted.users.createMany([aUser(), aUser({ status: 'pending' })])
    const { _id } = await counted.users.create(aUser())
    await counted.users.delete(_id)
    expect(await counted.users.getStatistics()).toEqual({
      total: 3,
      byRole: { admin: 1, student: 2 },
      byType: { admin: 1, consumer: 2 },
      byStatus: { active: 2, pending: 1 },
      byProvider: {},
      newPerMonth: [
        { month: '2026-01', count: 1 },
        { month: '2026-02', count: 2 },
      ],
    })
  })
})

describe('roles of the host’s own', () => {
  it('take the place of ours; the first is that of new users', async () => {
    const own = setUpDatabase()
    const users = userEntityWithRoles(['resident', 'manager'])
    const home = await openVolt(own, { entities: { users } })
    await home.setup()
    const resident = await home.users.createUser('asha@example.org', 'Asha')
    expect(resident.role satisfies 'resident' | 'manager' | undefined).toBe('resident')
    await home.users.update(resident._id, { role: 'manager' })
    await expect(home.users.update(resident._id, { role: 'student' as never })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    const raw = own.db.collection('users').updateOne({ _id: resident._id }, { $set: { role: 'student' } })
    await expect(raw).rejects.toMatchObject({ code: 121 })
  })
})
