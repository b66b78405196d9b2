import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { EntityCollection } from '../../../src/core/collection/entity-collection.js'
import { change } from '../../../src/core/repository/changes.js'
import { where } from '../../../src/core/repository/conditions.js'
import { GuardedCollection } from '../../../src/identity/access/guarded-collection.js'
import { aClassroom, aDevice, aUser } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { openVolt } from '../../support/volt.js'
import { aPerson, type Person } from './people.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const denied = { code: 'ACCESS_DENIED' }
const hidden = { code: 'NOT_FOUND' }

/** A device where the user cannot see it. */
const aHiddenDevice = ({ elsewhere }: Person) => volt.devices.create(aDevice({ classroom: elsewhere }))

describe('a field that decides on rights', () => {
  it.each([
    { role: 'super-admin' },
    { status: 'active' },
    { userType: 'admin' },
    { assignedClassrooms: [new ObjectId()] },
    { emailVerifiedAt: new Date() },
    { loginAttempts: 0 },
    { lockUntil: new Date(0) },
    { email: 'other@example.org' },
    { password: 'another password' },
    { stats: { trades: 1_000 } },
  ])('is not given by its owner: %j', async (given) => {
    const { user } = await aPerson(volt, 'student')
    const before = await database.db.collection('users').findOne({ _id: user._id })
    const bound = volt.as(user)
    const { email } = user
    const changes = { name: 'Allowed', ...given } as never
    for (const attempt of [
      () => bound.users.update(user._id, changes),
      () => bound.users.bulk([{ update: user._id, changes }]),
      () => bound.users.upsert({ email }, { email, name: 'Allowed', ...given } as never),
    ])
      await expect(attempt()).rejects.toMatchObject(denied)
    expect(await database.db.collection('users').findOne({ _id: user._id })).toEqual(before)
  })

  it('is not given by an operator, a dotted path, or what is inherited', async () => {
    const { user, assigned } = await aPerson(volt, 'student')
    const bound = volt.as(user)
    const inherited = Object.assign(Object.create({ role: 'admin' }), { name: 'Inherited' })
    for (const given of [
      { assignedClassrooms: change.push(assigned) },
      { 'assignedClassrooms.0': new ObjectId() },
      { role: change.unset() },
      { loginAttempts: change.inc(-5) },
      { $set: { role: 'admin' } },
      JSON.parse('{"__proto__": {"role": "admin"}, "role": "admin"}'),
    ])
      await expect(bound.users.update(user._id, given as never)).rejects.toMatchObject(denied)
    await bound.users.update(user._id, inherited as never).catch(() => undefined)
    expect(await volt.users.get(user._id)).toMatchObject({ role: 'student', assignedClassrooms: [assigned] })
  })

  it('is read once: a value that changes between the look and the write does not get through', async () => {
    const { user } = await aPerson(volt, 'student')
    let looks = 0
    const shifty = Object.defineProperty({}, 'name', {
      enumerable: true,
      get: () => {
        looks += 1
        return `look ${looks}`
      },
    })
    const updated = await volt.as(user).users.update(user._id, shifty as never)
    expect(updated.name).toBe('look 1')
  })

  it('is not changed by an upsert that is found by it, which changes the rest', async () => {
    const { user, other } = await aPerson(volt, 'student')
    const { users } = volt.as(user)
    const { email } = user
    expect(await users.upsert({ email }, { email, name: 'Upserted' })).toMatchObject({
      _id: user._id,
      name: 'Upserted',
    })
    const before = await volt.users.get(other._id)
    for (const attempt of [
      () => users.upsert({ email: other.email }, { email: other.email, name: 'Taken' }),
      () => users.upsert({ email: other.email }, { email, name: 'Taken' }),
      () => users.upsert({ email }, { email: 'another@example.org', name: 'Moved' }),
      () => users.upsert({ email: 'nobody@example.org' }, { email: 'nobody@example.org', name: 'Made' }),
    ])
      await expect(attempt()).rejects.toMatchObject(denied)
    expect(await volt.users.get(other._id)).toEqual(before)
    expect(await volt.users.findByEmail('nobody@example.org')).toBeNull()
  })

  it('inside a list is not given where the list is', async () => {
    const rules = [
      { role: 'student', entity: 'devices', action: 'read', scope: 'own' },
      { role: 'student', entity: 'devices', action: 'update', scope: 'own' },
    ] as const
    const strict = await openVolt(database, { access: { rules } })
    const { user, assigned } = await aPerson(volt, 'student')
    const device = await volt.devices.create(aDevice({ classroom: assigned, owner: user._id }))
    const { devices } = strict.as(user)
    const [first] = device.switches
    for (const given of [
      { owner: new ObjectId() },
      { secret: 'a secret of sixteen letters' },
      { 'switches.0.state': true },
      { switches: [{ ...first, state: true }] },
      { switches: change.push({ name: 'New', gpio: 30, powerRating: 1, state: true } as never) },
      { hasSigned: false },
    ])
      await expect(devices.update(device._id, given as never)).rejects.toMatchObject(denied)
    expect(await devices.update(device._id, { 'switches.0.name': 'Lamp', name: 'Renamed' })).toMatchObject({
      name: 'Renamed',
    })
  })
})

describe('what cannot be seen', () => {
  it('is found by no filter, sort, selection, cursor, count or statistics', async () => {
    const person = await aPerson(volt, 'student')
    const { _id, macAddress, name } = await aHiddenDevice(person)
    const { devices, users } = volt.as(person.user)
    await expect(devices.get(_id)).rejects.toMatchObject(hidden)
    await expect(devices.get(_id, { select: ['name'], withDeleted: true })).rejects.toMatchObject(hidden)
    expect(await devices.findByMacAddress(macAddress!)).toBeNull()
    for (const filter of [
      { _id },
      { name },
      { classroom: person.elsewhere },
      { _id: where.ne(new ObjectId()) },
      where.or({ _id }, { name: where.exists() }),
      where.nor({ name: 'nothing is called so' }),
      { classroom: where.nin([person.assigned]) },
    ]) {
      expect(await devices.find(filter as never, { withDeleted: true })).toEqual([])
      expect(await devices.count(filter as never)).toBe(0)
      expect(await devices.exists(filter as never)).toBe(false)
      expect((await devices.page(filter as never, { sort: { name: 1 } })).total).toBe(0)
      expect((await devices.after(filter as never)).items).toEqual([])
      const streamed = []
      for await (const one of devices.stream(filter as never)) streamed.push(one)
      expect(streamed).toEqual([])
    }
    expect(await users.findByEmail(person.other.email)).toBeNull()
    expect((await users.find({ role: 'student' })).map((one) => String(one._id))).toEqual([String(person.user._id)])
    expect(await users.getStatistics()).toMatchObject({ total: 1, byRole: { student: 1 } })
    expect((await users.pageAround({ latitude: 0, longitude: 0 }, 20_000)).total).toBe(0)
  })

  it('is what was deleted, also where it can be asked for', async () => {
    const person = await aPerson(volt, 'student')
    const device = await volt.devices.create(aDevice({ classroom: person.assigned }))
    await volt.devices.delete(device._id)
    const { devices } = volt.as(person.user)
    expect(await devices.find({}, { withDeleted: true })).toEqual([])
    await expect(devices.get(device._id, { withDeleted: true })).rejects.toMatchObject(hidden)
    const { user: admin } = await aPerson(volt, 'admin')
    expect(await volt.as(admin).devices.get(device._id, { withDeleted: true })).toMatchObject({ _id: device._id })
  })

  it('is not reached by what a cursor of somebody else says', async () => {
    const person = await aPerson(volt, 'student')
    for (let at = 0; at < 3; at += 1) await aHiddenDevice(person)
    const { nextCursor } = await volt.devices.after({ classroom: person.elsewhere }, { sort: { name: 1 }, limit: 1 })
    const { items } = await volt
      .as(person.user)
      .devices.after({ classroom: person.elsewhere }, { sort: { name: 1 }, cursor: nextCursor })
    expect(items).toEqual([])
  })

  it('is the same as what is not there, in every answer', async () => {
    const person = await aPerson(volt, 'user')
    const { _id } = await aHiddenDevice(person)
    const { devices, userPreferences } = volt.as(person.user)
    const answers = async (id: ObjectId) => {
      const errors = [
        devices.get(id),
        devices.update(id, { name: 'Mine' }),
        volt.as(person.user).require('control', 'devices', id),
      ]
      const settled = await Promise.allSettled(errors)
      return settled.map((one) => (one.status === 'rejected' ? String(one.reason).replace(String(id), 'ID') : 'done'))
    }
    expect(await answers(_id)).toEqual(await answers(new ObjectId()))
    const preferences = async (id: ObjectId) =>
      userPreferences.forUser(id).catch((error: Error) => error.message.replace(String(id), 'ID'))
    expect(await preferences(person.other._id)).toEqual(await preferences(new ObjectId()))
  })

  it('is not moved to, nor taken from where it is', async () => {
    const rules = [
      { role: 'faculty', entity: 'devices', action: 'read', scope: 'classroom' },
      { role: 'faculty', entity: 'devices', action: 'create', scope: 'classroom' },
      { role: 'faculty', entity: 'devices', action: 'update', scope: 'classroom' },
    ] as const
    const lending = await openVolt(database, { access: { rules } })
    const person = await aPerson(volt, 'faculty')
    const theirs = await aHiddenDevice(person)
    const ours = await volt.devices.create(aDevice({ classroom: person.assigned, switches: [] }))
    const { devices } = lending.as(person.user)
    await expect(devices.update(theirs._id, { classroom: person.assigned })).rejects.toMatchObject(hidden)
    await expect(devices.update(ours._id, { classroom: person.elsewhere })).rejects.toMatchObject({
      ...denied,
      fields: [],
    })
    await expect(devices.create(aDevice({ classroom: person.elsewhere, switches: [] }))).rejects.toMatchObject({
      ...denied,
      fields: [],
    })
    await expect(
      devices.createMany([
        aDevice({ classroom: person.assigned, switches: [] }),
        aDevice({ classroom: person.elsewhere, switches: [] }),
      ]),
    ).rejects.toMatchObject({ ...denied, fields: [] })
    await expect(
      devices.bulk([
        { create: aDevice({ classroom: person.assigned, switches: [] }) },
        { update: ours._id, changes: { classroom: person.elsewhere } },
      ]),
    ).rejects.toMatchObject({ ...denied, fields: [] })
    // A device that is there already keeps its room and its owner.
    const { macAddress } = theirs
    await expect(
      devices.upsert({ macAddress }, aDevice({ macAddress, classroom: person.assigned, switches: [] })),
    ).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await volt.devices.get(theirs._id)).toEqual(theirs)
    expect(await volt.devices.get(ours._id)).toEqual(ours)
    expect(await volt.devices.count({ classroom: person.assigned })).toBe(1)
    const stored = await devices.upsert(
      { macAddress: ours.macAddress },
      { ...aDevice({ switches: [] }), macAddress: ours.macAddress, classroom: person.assigned, name: 'Upserted' },
    )
    expect(stored).toMatchObject({ _id: ours._id, name: 'Upserted' })
  })
})

describe('a bound handle', () => {
  it('has no way past its rules', async () => {
    const { user } = await aPerson(volt, 'super-admin')
    const { devices, users, ledger, backup } = volt.as(user)
    for (const [bound, names] of [
      [
        devices,
        ['model', 'documents', 'database', 'collection', 'entity', 'watch', 'getDocument', 'findDocuments', 'restore'],
      ],
      [devices, ['revealSecret', 'revealDeviceSecret', 'resealSecrets', 'recordPresence', 'over', 'constructor']],
      [users, ['setPasswordHash', 'comparePassword', 'updateStats', 'createUser']],
      [ledger, ['append', 'record', 'aggregate']],
      [backup, ['constructor', 'database', '#database', 'then']],
    ] as const)
      for (const name of names) expect(Object.hasOwn(bound, name) ? name : undefined, name).toBeUndefined()
    expect(Reflect.get(backup, 'constructor')).not.toBe(Object.getPrototypeOf(volt.backup).constructor)
    expect(JSON.stringify(devices)).toBe('{}')
  })

  it('fills in nothing that a document refers to: there is no model, and the option is refused', async () => {
    const person = await aPerson(volt, 'student')
    const { _id } = await volt.devices.create(aDevice({ classroom: person.assigned, owner: person.other._id }))
    const { devices, users } = volt.as(person.user)
    for (const bound of [devices, users])
      for (const name of ['model', 'populate', 'aggregate', 'getDocument', 'findDocuments'])
        expect(Reflect.get(bound, name), name).toBeUndefined()
    for (const populate of ['owner', ['owner'], { path: 'owner', match: { $where: 'true' } }]) {
      const options = { populate } as never
      for (const attempt of [
        () => devices.get(_id, options),
        () => devices.find({}, options),
        () => devices.findOne({ _id }, options),
        () => devices.page({}, options),
        () => devices.after({}, options),
        () => devices.update(_id, { name: 'Mine' }, options),
      ])
        await expect(attempt()).rejects.toMatchObject({ code: expect.stringMatching(/^(VALIDATION|ACCESS_DENIED)$/) })
    }
    for (const joined of [{ $lookup: { from: 'users' } }, { 'owner.email': person.other.email }, { $where: 'true' }])
      await expect(devices.find(joined as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    expect((await devices.get(_id)).owner).toEqual(person.other._id)
  })

  it('believes of a user only the id', async () => {
    const { user } = await aPerson(volt, 'student')
    const forged = { ...user, role: 'super-admin', status: 'active', assignedClassrooms: [new ObjectId()] }
    expect(await volt.as(forged).users.count()).toBe(1)
    for (const odd of [{ $ne: null }, { _id: { $ne: null } }, null, '', 'x', [], 5])
      expect(() => volt.as(odd as never)).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
  })

  it('follows a change of role, status and classrooms within a second, in another process too', async () => {
    const person = await aPerson(volt, 'faculty')
    const elsewhere = await openVolt(database)
    const bound = elsewhere.as(person.user)
    const device = await volt.devices.create(aDevice({ classroom: person.assigned }))
    expect(await bound.may('control', 'devices', device._id)).toBe(true)
    await volt.users.update(person.user._id, { role: 'student' })
    await eventually('no control', async () => !(await bound.may('control', 'devices', device._id)))
    expect(await bound.devices.exists({ _id: device._id })).toBe(true)
    await database.db.collection('users').updateOne({ _id: person.user._id }, { $set: { assignedClassrooms: [] } })
    await eventually('no devices', async () => (await bound.devices.count()) === 0)
    await volt.users.update(person.user._id, { status: 'suspended' })
    await eventually('no users', async () => (await bound.users.count()) === 0)
  })

  it('sends no query for what is denied', async () => {
    const { user } = await aPerson(volt, 'user')
    const bound = volt.as(user)
    await bound.devices.count()
    const profiled = await openVolt(database, { logQueries: true, logger: logger() })
    const quiet = profiled.as(user)
    await quiet.classrooms.find()
    await quiet.auditLog.page()
    expect(await quiet.classrooms.count()).toBe(0)
    expect(logged.filter((entry) => entry.includes('classrooms') || entry.includes('audit_logs'))).toEqual([])
    expect(logged.some((entry) => entry.includes('users'))).toBe(true)
  })

  it('takes part in a transaction of the handle', async () => {
    const person = await aPerson(volt, 'admin')
    const room = aClassroom()
    await expect(
      volt.transaction(async () => {
        await volt.as(person.user).classrooms.create(room)
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await volt.classrooms.count({ name: room.name })).toBe(0)
  })
})

const logged: string[] = []
function logger() {
  const log = (...args: unknown[]) => {
    logged.push(JSON.stringify(args))
  }
  return { debug: log, info: log, warn: log, error: log }
}

describe('a denied write', () => {
  it('is audited, with who tried what, and without what was given', async () => {
    const { user, assigned } = await aPerson(volt, 'student')
    const device = await volt.devices.create(aDevice({ classroom: assigned }))
    const bound = volt.as(user)
    await expect(bound.users.update(user._id, { role: 'admin', password: 'very secret text' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      action: 'update',
      entity: 'users',
      fields: ['role', 'password'],
    })
    await expect(bound.devices.delete(device._id)).rejects.toMatchObject(denied)
    await expect(bound.require('control', 'devices', device._id)).rejects.toMatchObject(denied)
    await expect(bound.migrations.migrate()).rejects.toMatchObject(denied)
    const records = await volt.auditLog.find({ actor: user._id.toHexString() }, { sort: { _id: 1 } })
    expect(records.map(({ action, entity, details }) => [action, entity, details])).toEqual([
      ['access_denied', 'users', { denied: 'update', fields: ['role', 'password'] }],
      ['access_denied', 'devices', { denied: 'delete' }],
      ['access_denied', 'devices', { denied: 'control' }],
      ['access_denied', 'migrations', { denied: 'use' }],
    ])
    expect(JSON.stringify(records)).not.toContain('secret')
  })

  it('is audited once, also where the transaction that it is in is taken back', async () => {
    const { user } = await aPerson(volt, 'student')
    await expect(volt.transaction(() => volt.as(user).classrooms.create(aClassroom()))).rejects.toMatchObject(denied)
    await expect(volt.as(user).users.bulk([{ create: aUser() }, { create: aUser() }])).rejects.toMatchObject(denied)
    const records = await volt.auditLog.find({ actor: user._id.toHexString() })
    expect(records.map(({ entity }) => entity)).toEqual(['users', 'classrooms'])
  })
})

describe('a write', () => {
  it('is audited in the name of the user, and from where the host says', async () => {
    const { user, other } = await aPerson(volt, 'super-admin')
    await volt.auditLog.withActor({ actor: 'the gateway', ip: '192.0.2.7' }, async () => {
      await volt.as(user).users.update(other._id, { role: 'faculty' })
    })
    const [record] = await volt.auditLog.find({ entityId: other._id, action: 'changed' })
    expect(record).toMatchObject({
      actor: user._id.toHexString(),
      after: { role: 'faculty' },
      details: { ip: '192.0.2.7' },
    })
  })
})

describe('the operations on documents in reach', () => {
  it('are all guarded: none is inherited from those on all documents', () => {
    const own = Object.getOwnPropertyNames(GuardedCollection.prototype)
    const all = Object.getOwnPropertyNames(EntityCollection.prototype)
    expect(all.filter((name) => name !== 'name' && !own.includes(name))).toEqual([])
  })
})

describe('an administrator', () => {
  it('changes no other administrator, and makes none', async () => {
    const { user } = await aPerson(volt, 'admin')
    const { user: peer } = await aPerson(volt, 'admin')
    const { user: superior } = await aPerson(volt, 'super-admin')
    const { users } = volt.as(user)
    for (const { _id } of [peer, superior]) {
      await expect(users.update(_id, { status: 'suspended' })).rejects.toMatchObject(denied)
      await expect(users.update(_id, { name: 'Renamed' })).rejects.toMatchObject(denied)
      await expect(users.delete(_id)).rejects.toMatchObject(denied)
    }
    const student = await volt.users.create(aUser())
    await expect(users.update(student._id, { role: 'admin' })).rejects.toMatchObject(denied)
    await expect(users.update(student._id, { password: 'chosen by another' })).rejects.toMatchObject(denied)
    await expect(users.create(aUser({ role: 'admin' }))).rejects.toMatchObject(denied)
    expect(await users.update(student._id, { status: 'suspended' })).toMatchObject({ status: 'suspended' })
  })

  it('is audited sixty times a minute for one user, and the last record says so', async () => {
    const [{ user }, other] = [await aPerson(volt, 'student'), await aPerson(volt, 'student')]
    const bound = volt.as(user)
    for (let time = 0; time < 70; time += 1)
      await expect(bound.classrooms.create(aClassroom())).rejects.toMatchObject(denied)
    await expect(volt.as(other.user).classrooms.create(aClassroom())).rejects.toMatchObject(denied)
    const records = await volt.auditLog.find({ actor: user._id.toHexString() }, { sort: { _id: 1 } })
    expect(records).toHaveLength(60)
    expect(records.map(({ details }) => details?.furtherAreLeftOut)).toEqual([...Array(59).fill(undefined), true])
    expect(await volt.auditLog.find({ actor: other.user._id.toHexString() })).toHaveLength(1)
  })
})
