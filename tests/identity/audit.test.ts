import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const password = 'correct horse'
const phone = { ip: '192.0.2.7', userAgent: 'Phone/1' }
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
})

const logs = () => database.db.collection('audit_logs')
const recordsOf = (user: ObjectId) => volt.auditLog.find({ entityId: user }, { sort: { at: 1, _id: 1 } })
const actionsOf = async (user: ObjectId) => (await recordsOf(user)).map(({ action }) => action)

describe('the audit log', () => {
  it('says who signed in, how and from where', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const { session } = await volt.signIn.withPassword(email, password, phone)
    expect(await recordsOf(_id)).toMatchObject([
      {
        action: 'signed_in',
        entity: 'user',
        actor: _id.toHexString(),
        details: { ...phone, provider: 'password', session: session._id },
        at: expect.any(Date),
      },
    ])
  })

  it('says who failed, and was locked out and unlocked; what is tried meanwhile does not fill it', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (let attempt = 0; attempt < 8; attempt += 1)
      await volt.signIn.withPassword(email, 'wrong one', phone).catch(() => undefined)
    await volt.signIn.withPassword(email, password, phone).catch(() => undefined)
    await volt.signIn.unlock(_id)
    const failures = Array.from({ length: 4 }, () => 'sign_in_failed')
    expect(await actionsOf(_id)).toEqual([...failures, 'locked_out', 'unlocked'])
    const [first] = await recordsOf(_id)
    expect(first).toMatchObject({ details: { ...phone, reason: 'wrong' } })
    expect(first).not.toHaveProperty('actor')
  })

  it('says who had the right password and was refused', async () => {
    const { _id, email } = await volt.users.create(aUser({ password, status: 'suspended' }))
    await volt.signIn.withPassword(email, password).catch(() => undefined)
    expect(await recordsOf(_id)).toMatchObject([{ action: 'sign_in_failed', details: { reason: 'suspended' } }])
  })

  it('counts by the hour who tries addresses that nobody has, and keeps none of them', async () => {
    await logs().deleteMany({})
    const attempts = ['nobody@example.org', 'my secret password', 'no-one@example.org'].map((email) =>
      volt.signIn.withPassword(email, 'wrong one').catch(() => undefined),
    )
    await Promise.all(attempts)
    const records = await volt.auditLog.find({ action: 'sign_in_failed' })
    const counts = records.map(({ details }) => Number(details?.count))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3)
    expect(records.length).toBeLessThanOrEqual(2)
    expect(JSON.stringify(await logs().find().toArray())).not.toMatch(/secret password|nobody|no-one/)
  })

  it('says who changed what decides on rights, with before and after, and in whose name', async () => {
    const { _id } = await volt.users.create(aUser({ password }))
    const admin = new ObjectId().toHexString()
    await volt.auditLog.withActor({ actor: admin, ip: '192.0.2.1' }, async () => {
      await volt.users.update(_id, { role: 'faculty', name: 'Asha Rao' })
      await volt.users.update(_id, { name: 'Asha Rao-Smith' })
    })
    await volt.users.update(_id, { status: 'suspended', password: 'another horse' })
    await volt.users.delete(_id)
    expect(await recordsOf(_id)).toMatchObject([
      {
        action: 'changed',
        actor: admin,
        before: { role: 'student' },
        after: { role: 'faculty' },
        details: { ip: '192.0.2.1' },
      },
      { action: 'changed', before: { status: 'active' }, after: { status: 'suspended' } },
      { action: 'password_changed' },
      { action: 'removed' },
    ])
    const kept = JSON.stringify(await logs().find({ entityId: _id }).toArray())
    expect(kept).not.toMatch(/horse|\$2b\$/)
  })

  it('says whose sessions ended, and why', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const { token } = await volt.signIn.withPassword(email, password, phone)
    await volt.sessions.end(token)
    await volt.signIn.withPassword(email, password, phone)
    await volt.users.update(_id, { role: 'faculty' })
    const ended = (await recordsOf(_id)).filter(({ action }) => action === 'session_ended')
    expect(ended).toMatchObject([{ details: { reason: 'signed_out' } }, { details: { reason: 'user_changed' } }])
  })

  it('has a record where the change was made, and none where it was not', async () => {
    const { _id } = await volt.users.create(aUser({ password }))
    const failing = volt.transaction(async () => {
      await volt.users.update(_id, { role: 'admin' })
      throw new Error('not after all')
    })
    await expect(failing).rejects.toThrow('not after all')
    expect(await actionsOf(_id)).toEqual([])

    // A log that cannot be written lets nothing pass by it.
    await database.db.command({ collMod: 'audit_logs', validator: { action: 'nothing fits' } })
    await expect(volt.users.update(_id, { role: 'admin' })).rejects.toMatchObject({ code: 'VALIDATION' })
    expect((await volt.users.get(_id)).role).toBe('student')
    await volt.setup()
    await volt.users.update(_id, { role: 'admin' })
    expect(await actionsOf(_id)).toEqual(['changed'])
  })

  it('takes nobody for an actor who is none', async () => {
    for (const actor of [{}, null, { actor: '' }, { actor: { $ne: 1 } }, { actor: 'a', role: 'admin' }]) {
      const work = volt.auditLog.withActor(actor as never, () => Promise.resolve())
      await expect(work).rejects.toMatchObject({ code: 'VALIDATION' })
    }
  })
})

describe('the records of the audit log', () => {
  const expiries = async () => {
    const indexes = await logs().listIndexes().toArray()
    return indexes.flatMap(({ key, expireAfterSeconds: seconds }) => (seconds === undefined ? [] : [[key, seconds]]))
  }

  it('go after 90 days, or after as long as the host says', async () => {
    await volt.setup()
    expect(await expiries()).toEqual([
      [{ at: 1 }, 7_776_000],
      [{ created_at: 1 }, 7_776_000],
    ])
    const longer = await openVolt(database, { auditLog: { expireAfterSeconds: 31_536_000 } })
    await longer.setup()
    expect((await expiries()).map(([, seconds]) => seconds)).toEqual([31_536_000, 31_536_000])
    const forEver = await openVolt(database, { auditLog: { expireAfterSeconds: null } })
    await forEver.setup()
    expect(await expiries()).toEqual([])
    await volt.setup()
    const { uri, dbName } = database
    for (const expireAfterSeconds of [0, 1.5, 2 ** 31, 'never', undefined]) {
      const opening = AutoVolt.open({ uri, dbName, auditLog: { expireAfterSeconds } as never })
      await expect(opening).rejects.toMatchObject({ code: 'CONFIGURATION' })
    }
  })

  it('are found by any of their details, in an index', async () => {
    const indexes = await logs().listIndexes().toArray()
    expect(indexes).toContainEqual(expect.objectContaining({ key: { 'details.$**': 1 } }))
    const { queryPlanner } = await logs().find({ 'details.ip': '192.0.2.7' }).explain('queryPlanner')
    expect(JSON.stringify(queryPlanner.winningPlan)).toContain('details.$**_1')
  })

  it('can be read that older systems have written', async () => {
    const created_at = new Date('2024-05-01T10:00:00Z')
    const _id = new ObjectId()
    await logs().insertOne(
      { _id, created_at, action: 'changed', details: { table: 'rates' } },
      { bypassDocumentValidation: true },
    )
    expect(await volt.auditLog.get(_id)).toEqual({
      _id,
      at: created_at,
      created_at,
      action: 'changed',
      details: { table: 'rates' },
    })
    expect(await volt.auditLog.find({ created_at })).toHaveLength(1)
  })
})
